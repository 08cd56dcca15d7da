"""Helpers of the tests of the page in Chromium."""

WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 390, "height": 844}


def focused(tab):
    return tab.evaluate("document.activeElement.id")


def shown(tab, selector="#ranked tbody tr"):
    return tab.locator(f"{selector}:visible").count()


def saved(tab, button, path):
    with tab.expect_download() as download:
        tab.click(button)
    download.value.save_as(path)
    return download.value.suggested_filename


def mark(tab, rank, name):
    tab.locator(f"#c{rank} [data-mark={name}]").click()


def classify(tab, rank, label):
    tab.locator(f"#c{rank} [data-label={label}]").click()


def pressed(tab, rank):
    buttons = tab.locator(f"#c{rank} .marks [aria-pressed=true]")
    return buttons.evaluate_all("all => all.map(b => b.dataset.mark || b.dataset.label)")


def import_file(tab, file):
    if isinstance(file, bytes):
        file = {"name": "m.csv", "mimeType": "text/csv", "buffer": file}
    tab.locator("#import-file").set_input_files(file)
    return tab.locator("#message")
