"""sem10: the ten classes of the NFFA-EUROPE SEM data (Aversa et al., Sci. Data 5, 180172, 2018)."""

from __future__ import annotations

from morphoscope.registry import Registry
from morphoscope.synthesis import exposures
from morphoscope.synthesis.finish import finish
from morphoscope.synthesis.instruments import sem_settings
from morphoscope.synthesis.picture import Draft, Kind, Rendered
from morphoscope.synthesis.sem import secondary_electrons

SCENES = Registry(
    "class of SEM picture",
    {
        "Biological": "morphoscope.synthesis.scenes.biological:biological",
        "Fibres": "morphoscope.synthesis.scenes.fibres:fibres",
        "Films_Coated_Surface": "morphoscope.synthesis.scenes.films:films",
        "MEMS_devices_and_electrodes": "morphoscope.synthesis.scenes.mems:mems",
        "Nanowires": "morphoscope.synthesis.scenes.nanowires:nanowires",
        "Particles": "morphoscope.synthesis.scenes.particles:particles",
        "Patterned_surface": "morphoscope.synthesis.scenes.patterns:patterns",
        "Porous_Sponge": "morphoscope.synthesis.scenes.sponge:sponge",
        "Powder": "morphoscope.synthesis.scenes.powder:powder",
        "Tips": "morphoscope.synthesis.scenes.tips:tips",
    },
)


def draw(draft: Draft) -> Rendered:
    """One picture of the class whose turn it is."""
    name = SCENES.names()[draft.turn]
    canvas = SCENES.load(name)(draft)
    settings = sem_settings(canvas.field_nm[1], draft.specimen, draft.view)
    image = secondary_electrons(canvas, exposures.scan(draft), draft.view)
    grey = exposures.sem_tone(draft).apply(image)
    return finish(draft, grey, canvas, settings, {"class": name})


SEM10 = Kind({"class": tuple(SCENES.names())}, turns=len(SCENES.names()), draw=draw)
