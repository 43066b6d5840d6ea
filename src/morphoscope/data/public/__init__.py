"""Public data sets of electron micrographs: how each is fetched, verified, laid out and catalogued. One file a data set.

A package of somebody else adds one by an entry point of the group `morphoscope.data_set` that names a `DataSet`.
"""

from morphoscope.registry import Registry

DATA_SETS = Registry(
    "data set",
    {
        "nffa": "morphoscope.data.public.nffa:NFFA",
        "nffa-majority": "morphoscope.data.public.nffa:NFFA_MAJORITY",
        "lu-nanowires": "morphoscope.data.public.lu_nanowires:LU_NANOWIRES",
        "mnp": "morphoscope.data.public.mnp:MNP",
        "virus": "morphoscope.data.public.virus:VIRUS",
        "emps": "morphoscope.data.public.emps:EMPS",
        "uhcs": "morphoscope.data.public.uhcs:UHCS",
        "carinthia": "morphoscope.data.public.carinthia:CARINTHIA",
        "cem500k": "morphoscope.data.public.cem:CEM500K",
        "cem1.5m": "morphoscope.data.public.cem:CEM1_5M",
        "warwick": "morphoscope.data.public.warwick:WARWICK",
    },
)
