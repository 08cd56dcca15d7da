"""What several tests of the simulator use."""

from ztfml.simulate import POPULATIONS

N_ALERTS = 1500


def population_named(name):
    return next(population for population in POPULATIONS if population.name == name)


def history_of(night, object_id):
    return night.light_curve(object_id).query("not is_alert")
