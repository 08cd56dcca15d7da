"""The records of brokers, from which links, columns and command-line choices are derived."""

import pandas as pd
import pytest

from ztfml.cli.objects import fetch
from ztfml.sources.brokers import BROKERS, QUERIED, link_columns
from ztfml.sources.links import links

NAME = "ZTF18abukavn"


def test_every_page_address_contains_the_object_name_once():
    for broker in BROKERS.values():
        assert broker.object_page.count("{}") == 1
        assert broker.link(NAME).count(NAME) == 1


def test_link_columns_and_links_agree():
    columns = link_columns(pd.Series([NAME]))
    assert list(columns) == ["alerce", "fink", "fritz"]
    addresses = dict(links(NAME))
    for name, column in columns.items():
        assert column[0] == addresses[BROKERS[name].title]


def test_links_start_with_all_brokers_in_order():
    assert [title for title, _ in links(NAME, 10.0, 20.0)] == [
        "ALeRCE", "Fink", "Lasair", "Fritz", "TNS", "NED", "SIMBAD",
        "PS1", "Legacy Survey", "Aladin",
    ]  # fmt: skip


def test_the_command_line_offers_the_brokers_with_a_client():
    assert QUERIED == ("alerce", "fink")
    (option,) = [parameter for parameter in fetch.params if parameter.name == "brokers"]
    assert option.default == QUERIED
    assert all(f"{name}: {BROKERS[name].provides}" in option.help for name in QUERIED)


@pytest.mark.parametrize("name", QUERIED)
def test_clients_are_named_after_their_broker(name):
    if name == "alerce":
        pytest.importorskip("alerce")
    session = type("Session", (), {})()
    client = BROKERS[name].make_client(session, None)
    assert client.name == BROKERS[name].title
