"""The settings and the version of a stage, beside those that are deployed."""

from collections.abc import Iterator, Mapping

from operations.doctor.check import check
from operations.doctor.findings import Symptom, ok, unknown, wrong
from operations.doctor.patient import Patient, command

LONGEST_VALUE = 60
"""Characters of a setting's value that are shown."""
_UNSHOWN = ("alarmWebhook",)
"""Settings whose values may have a key in them."""


@check("settings", "cloudformation:GetTemplate")
def settings(patient: Patient) -> Iterator[Symptom]:
    """The settings of the stage's file are those that are deployed. Who makes the patient reads both."""
    if patient.is_local and patient.settings is None:
        yield ok("The local stage has no file: its settings are those that it was started with.")
    elif patient.settings is None:
        mend = command("make", "stage-file", f"STAGE={patient.stage}")
        yield unknown(f"There is no file stages/{patient.stage}.toml to compare the deployed settings with.", mend)
    elif patient.deployed is None:
        yield unknown("An earlier version deployed the stage, and the template does not name its settings.")
    else:
        yield from _compared(patient, patient.settings, patient.deployed)


def _compared(patient: Patient, settings: Mapping[str, str], deployed: Mapping[str, str]) -> Iterator[Symptom]:
    differing = [key for key in sorted({*settings, *deployed} - {"stage"}) if settings.get(key) != deployed.get(key)]
    for key in differing:
        there, here = _shown(key, deployed.get(key)), _shown(key, settings.get(key))
        yield wrong(
            f"The setting {key} is {there} as deployed and {here} in stages/{patient.stage}.toml.",
            command("make", "deploy", f"STAGE={patient.stage}"),
        )
    if not differing:
        yield ok(f"The deployed settings are those of stages/{patient.stage}.toml.")


def _shown(key: str, value: str | None) -> str:
    if value is None:
        return "not set"
    if key in _UNSHOWN:
        return "another address"
    return value if len(value) <= LONGEST_VALUE else f"{value[: LONGEST_VALUE - 1]}…"


@check("version")
def version(patient: Patient) -> Iterator[Symptom]:
    """The code that runs here is the code that is deployed."""
    here, there = patient.version, patient.deployed_version
    if here is None or there is None:
        if patient.is_local:
            yield ok("The local stage has the code that it was started with.")
        else:
            yield unknown("The version of the deployed code is unknown.")
    elif here == there:
        yield ok(f"The deployed version is {there}.")
    else:
        yield wrong(
            f"The deployed version is {there}, and that of this code is {here}.",
            command("make", "deploy", f"STAGE={patient.stage}"),
        )
