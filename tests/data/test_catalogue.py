from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from morphoscope.data.catalogue import Catalogue, load_catalogue
from morphoscope.errors import LabelSheetError
from morphoscope.schema import Schema, Task

Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Makes a folder of (empty) pictures; the catalogue looks at names only."""

    def make(names: Sequence[str], root: str = "images") -> Path:
        for name in names:
            (tmp_path / root / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / root / name).touch()
        return tmp_path / root

    return make


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str, name: str = "labels.csv") -> Path:
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return tmp_path / name

    return write


def complaint(*images: Path, **options: object) -> str:
    with pytest.raises(LabelSheetError) as caught:
        load_catalogue(images, **options)  # type: ignore[arg-type]
    return str(caught.value)


def labels_of(catalogue: Catalogue, task: str) -> dict[str, tuple[str, ...]]:
    return {entry.name: entry.labels[task] for entry in catalogue.entries}


def test_columns_become_tasks_and_blanks_are_not_labelled(folder: Folder, sheet: Callable) -> None:
    images = folder(["a.tif", "b.tif", "c.tif"])
    labels = sheet("filename;Morphology;Num_particles;hv_kV", "a.tif;NA;None;200", "b.tif;Rod;One;", "c.tif;;One;80")
    catalogue, check = load_catalogue([images], labels=[labels])
    assert catalogue.schema.tasks == (Task("Morphology", ("NA", "Rod")), Task("Num_particles", ("None", "One")))
    assert catalogue.truth("Morphology").tolist() == [[True, False], [False, True], [False, False]]
    assert [entry.metadata for entry in catalogue.entries] == [{"hv_kV": "200"}, {}, {"hv_kV": "80"}]
    morphology = check.tasks[0]
    assert (morphology.matched, morphology.blank, morphology.counts) == (2, 1, {"NA": 1, "Rod": 1})
    assert "Morphology (2 matched, 0 unmatched, 1 blank)" in check.to_text()
    json.dumps(check.to_dict())


@pytest.mark.parametrize(
    "written",
    ["run 1/A.tif", "A.tif", "A", "run 1/A", "a.TIF", "a", "run 1\\A.tif", "images/run 1/A.tif", "old place/A.tif", "A.png"],
)
def test_ways_to_write_a_name(folder: Folder, sheet: Callable, written: str) -> None:
    images = folder(["run 1/A.tif", "run 1/AB.tif"])
    catalogue, _ = load_catalogue([images], labels=[sheet("filename,Class", f"{written},x", "AB,y")])
    assert labels_of(catalogue, "Class") == {"run 1/A.tif": ("x",), "run 1/AB.tif": ("y",)}


def test_names_with_points_keep_them(folder: Folder, sheet: Callable) -> None:
    images = folder(["AC_2.5kX.tif", "AC_2.tif"])
    catalogue, _ = load_catalogue([images], labels=[sheet("filename,Class", "AC_2.5kX,x", "AC_2,y")])
    assert labels_of(catalogue, "Class") == {"AC_2.tif": ("y",), "AC_2.5kX.tif": ("x",)}


def test_composed_and_decomposed_letters_match(folder: Folder, sheet: Callable) -> None:
    images = folder(["u\u0308ber.tif", "b.tif"])
    _, check = load_catalogue([images], labels=[sheet("filename,Class", "\u00fcber.tif,x", "b.tif,y")])
    assert check.n_labelled == 2


def test_the_exact_name_goes_before_a_looser_one(folder: Folder, sheet: Callable) -> None:
    images = folder(["a.tif", "a.png"])
    catalogue, _ = load_catalogue([images], labels=[sheet("filename,Class", "a.tif,x", "a.png,y")])
    assert labels_of(catalogue, "Class") == {"a.tif": ("x",), "a.png": ("y",)}
    assert "'a' fits a.png and a.tif" in complaint(images, labels=[sheet("filename,Class", "a,x")])


def test_a_stem_in_two_folders_is_ambiguous(folder: Folder, sheet: Callable) -> None:
    images = folder(["one/a.tif", "two/a.tif"])
    text = complaint(images, labels=[sheet("filename,Class", "two/a.tif,x", "a.tif,y")])
    assert "labels.csv row 3: 'a.tif' fits one/a.tif and two/a.tif" in text


def test_a_row_of_an_absent_folder_takes_no_image_of_another(folder: Folder, sheet: Callable) -> None:
    images = folder(["a.tif", "b.tif"], root="two")
    labels = sheet("filename,Class", "one/a.tif,x", "two/a.tif,y", "two/b.tif,x")
    catalogue, check = load_catalogue([images], labels=[labels])
    assert labels_of(catalogue, "Class") == {"a.tif": ("y",), "b.tif": ("x",)}
    assert check.rows_without_image == ["labels.csv row 2: one/a.tif"]


def test_what_does_not_fit_is_listed(folder: Folder, sheet: Callable) -> None:
    images = folder(["a.tif", "b.tif", "c.tif", "sphere_01.tif"])
    labels = sheet("filename,Class", "a.tif,x", "b.tif,y", "c.tif,", "sphere_O1.tif,x")
    _, check = load_catalogue([images], labels=[labels])
    assert check.images_without_row == ["sphere_01.tif"]
    assert check.images_without_label == ["c.tif"]
    assert check.rows_without_image == ["labels.csv row 5: sphere_O1.tif. Did you mean 'sphere_01.tif'?"]
    for name in ("c.tif", "sphere_01.tif", "sphere_O1.tif"):
        assert name in check.to_text()


def test_a_sheet_of_another_folder_stops(folder: Folder, sheet: Callable) -> None:
    text = complaint(folder(["a.tif"]), labels=[sheet("filename,Class", "x.tif,1", "y.tif,2")])
    assert "no row belongs to an image" in text and "expected names like a.tif" in text


def test_rows_that_agree_are_merged(folder: Folder, sheet: Callable) -> None:
    images = folder(["a.tif", "b.tif"])
    labels = sheet("filename,Class,Size", "a.tif,x,", "b.tif,y,big", "A.TIF,X ,small")
    catalogue, check = load_catalogue([images], labels=[labels])
    assert labels_of(catalogue, "Size") == {"a.tif": ("small",), "b.tif": ("big",)}
    assert check.repeated_rows == ["labels.csv row 4 repeats labels.csv row 2 (a.tif)"]


def test_rows_that_disagree_stop(folder: Folder, sheet: Callable) -> None:
    text = complaint(folder(["a.tif", "b.tif"]), labels=[sheet("filename,Class", "a.tif,x", "b.tif,x", "a,y")])
    assert "labels.csv row 2 and labels.csv row 4: 'Class' of a.tif is 'x' and 'y'" in text


def test_spellings_are_made_one(folder: Folder, sheet: Callable) -> None:
    images = folder([f"{i}.tif" for i in range(5)])
    labels = sheet("filename,Class", "0,Nanowires", "1,nanowires", "2,Nanowires", "3,Nano wires", "4,Rod")
    catalogue, check = load_catalogue([images], labels=[labels])
    assert catalogue.schema.tasks[0].classes == ("Nanowires", "Rod")
    assert check.tasks[0].respelled == {"nanowires": "Nanowires", "Nano wires": "Nanowires"}


def test_several_classes_and_parents(folder: Folder, sheet: Callable) -> None:
    images = folder(["a.tif", "b.tif", "c.tif"])
    labels = sheet("filename,Content", "a,Particles|Fibres/Polymer", "b,Fibres / Glass", "c,Particles | particles")
    catalogue, _ = load_catalogue([images], labels=[labels])
    task = catalogue.schema.tasks[0]
    assert task.is_multilabel and task.parents == ("Fibres", "Particles")
    assert catalogue.truth("Content").tolist() == [[False, True, True], [True, False, False], [False, False, True]]


def test_classes_are_in_natural_order(folder: Folder, sheet: Callable) -> None:
    images = folder([f"{i}.tif" for i in range(4)])
    catalogue, _ = load_catalogue([images], labels=[sheet("filename,Layers", "0,10 layers", "1,2 layers", "2,None", "3,many")])
    assert catalogue.schema.tasks[0].classes == ("2 layers", "10 layers", "many", "None")


def test_columns_that_are_no_task(folder: Folder, sheet: Callable) -> None:
    images = folder([f"{i}.tif" for i in range(60)])
    rows = [f"{i}.tif,{'SR'[i % 2]},id-{i},{i * 1.5},sample {i // 3},batch {i // 20},," for i in range(60)]
    labels = sheet("filename,Shape,Number,Size,Sample,Batch,Remark,pixel_size_nm", *rows)
    catalogue, check = load_catalogue([images], labels=[labels], group="batch")
    assert [task.name for task in catalogue.schema.tasks] == ["Shape"]
    assert {entry.group for entry in catalogue.entries} == {"batch 0", "batch 1", "batch 2"}
    assert set(check.ignored_columns) == {"Number", "Size", "Sample", "Remark"}
    named, check = load_catalogue([images], labels=[labels], tasks=["batch", "Shape"])
    assert [task.name for task in named.schema.tasks] == ["Batch", "Shape"]
    assert check.ignored_columns["Size"] == "not named in --tasks"


@pytest.mark.parametrize("option", ["group", "sample", "tasks"])
def test_unknown_columns_are_told(folder: Folder, sheet: Callable, option: str) -> None:
    labels = sheet("filename,Paper,Shape", "a.tif,p,x")
    value = ["Shap"] if option == "tasks" else "Shap"
    text = complaint(folder(["a.tif"]), labels=[labels], **{option: value})
    assert f"--{option} names 'Shap', which is no column; expected one of Paper, Shape. Did you mean 'Shape'?" in text


SCHEMA = '[tasks.Shape]\nclasses = ["Sphere", "Rod", "Cube"]\n'


def test_a_schema_file_sets_classes_and_order(folder: Folder, sheet: Callable, tmp_path: Path) -> None:
    schema = sheet(SCHEMA, name="schema.toml")
    images = folder(["a.tif", "b.tif", "c.tif"])
    labels = sheet("filename,Shape,Other", "a,rod,x", "b,Sphere,y", "c,,z")
    catalogue, check = load_catalogue([images], labels=[labels], schema_file=schema)
    assert catalogue.schema.tasks == (Task("Shape", ("Sphere", "Rod", "Cube")),)
    assert "'Cube' (0)" in check.to_text() and "Other" in check.ignored_columns


def test_values_outside_the_schema_stop_or_are_blank(folder: Folder, sheet: Callable) -> None:
    schema = sheet(SCHEMA, name="schema.toml")
    images = folder(["a.tif", "b.tif", "c.tif", "d.tif"])
    labels = sheet("filename,Shape", "a,Spheer", "b,Sphere", "c,Spheer", "d,Rod")
    text = complaint(images, labels=[labels], schema_file=schema)
    assert "'Spheer' 2 times (did you mean 'Sphere'?); expected one of Sphere, Rod, Cube" in text
    catalogue, check = load_catalogue([images], labels=[labels], schema_file=schema, unmatched="blank")
    assert [entry.name for entry in catalogue.entries] == ["b.tif", "d.tif"]
    assert check.tasks[0].unmatched == {"Spheer": 2} and check.tasks[0].suggestions == {"Spheer": "Sphere"}
    assert check.images_without_label == ["a.tif", "c.tif"]


def test_a_multilabel_schema_and_a_forbidden_one(folder: Folder, sheet: Callable) -> None:
    images = folder(["a.tif", "b.tif"])
    labels = sheet("filename,Shape", "a,Rod", "b,Cube")
    many = sheet(SCHEMA + "multilabel = true", name="many.toml")
    assert load_catalogue([images], labels=[labels], schema_file=many)[0].schema.tasks[0].is_multilabel
    one = sheet(SCHEMA + "multilabel = false", name="one.toml")
    assert "'Rod|Cube' once" in complaint(images, labels=[sheet("filename,Shape", "a,Rod|Cube", "b,Rod")], schema_file=one)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[tasks.Shap]\nclasses = ['a', 'b']", "Did you mean 'Shape'?"),
        ("tasks = 3", "expected a table [tasks.NAME]"),
        ("[tasks.Shape]\nclasses = 'a'", "'classes' is 'a'; expected a list"),
        ("[tasks.Shape]\nclasses = ['a', 'a']", "'a' is listed twice"),
        ("[tasks.Shape]\nclasses = ['a', 'b']\nmultilabel = 'yes'", "expected true or false"),
        ("[tasks.Shape\n", "expected TOML"),
    ],
)
def test_bad_schema_files(folder: Folder, sheet: Callable, text: str, expected: str) -> None:
    schema = sheet(text, name="schema.toml")
    assert expected in complaint(folder(["a.tif"]), labels=[sheet("filename,Shape", "a,x")], schema_file=schema)


def test_a_task_with_one_class_is_left_out(folder: Folder, sheet: Callable) -> None:
    images = folder(["a.tif", "b.tif"])
    labels = sheet("filename,Shape,Usability", "a,Rod,Yes", "b,Cube,Yes")
    catalogue, check = load_catalogue([images], labels=[labels])
    assert [task.name for task in catalogue.schema.tasks] == ["Shape"]
    assert "Task 'Usability' is left out: only one class occurs, 'Yes'." in check.warnings()
    assert "no task is left to learn" in complaint(images, labels=[labels], tasks=["Usability"])


def test_class_folders(folder: Folder) -> None:
    images = folder(["Rods/a.tif", "Rods/b.tif", "Wires 10/deep/a.tif", "Wires 2/c.tif", "loose.tif", "_copies/a.tif"])
    catalogue, check = load_catalogue([images])
    assert catalogue.schema.tasks == (Task("class", ("Rods", "Wires 2", "Wires 10")),)
    assert labels_of(catalogue, "class")["Wires 10/deep/a.tif"] == ("Wires 10",)
    assert sorted(check.images_without_row) == ["_copies/a.tif", "loose.tif"]


def test_a_flat_folder_without_a_sheet_stops(folder: Folder, sheet: Callable) -> None:
    images = folder(["a.tif", "b.tif"])
    sheet("filename,Class", "a,x")
    text = complaint(images)
    assert "--labels" in text and "labels.csv" in text


def test_a_rendered_data_set_brings_its_sheet(folder: Folder, sheet: Callable, tmp_path: Path) -> None:
    folder(["images/a.tif", "images/b.tif", "instance_maps/a.png"], root="set")
    (tmp_path / "set" / "labels.csv").write_text("filename,Class\na.tif,x\nb.tif,y\n", encoding="utf-8")
    catalogue, check = load_catalogue([tmp_path / "set"])
    assert [entry.name for entry in catalogue.entries] == ["a.tif", "b.tif"]
    assert len(check.notes) == 2 and "labels.csv" in check.to_text()


def test_a_sheet_for_each_folder(folder: Folder, sheet: Callable) -> None:
    first, second = folder(["a.tif", "b.tif"], root="GO"), folder(["a.tif"], root="MoS2")
    sheets = [sheet("filename,Class", "a,x", "b,y", name="go.csv"), sheet("filename,Class,Layers", "a,y,1", name="mos2.csv")]
    catalogue, check = load_catalogue([first, second], labels=sheets)
    assert labels_of(catalogue, "Class") == {"GO/a.tif": ("x",), "GO/b.tif": ("y",), "MoS2/a.tif": ("y",)}
    assert check.tasks[1].excluded
    one = sheet("filename,Class", "GO/a,x", "MoS2/a,y", name="all.csv")
    assert load_catalogue([first, second], labels=[one])[1].images_without_row == ["GO/b.tif"]
    assert "3 sheets for 2 image folders" in complaint(first, second, labels=[*sheets, one])
    assert "one folder holds the other" in complaint(first, first.parent, labels=[one])


def test_metadata_sheet(folder: Folder, sheet: Callable) -> None:
    images = folder(["a.tif", "b.tif", "c.tif"])
    labels = sheet("filename,Class,wd_mm", "a,x,4", "b,y,5", "c,x,")
    extra = sheet(
        "filename,wd_mm,Grid,Class,Sample", "a.tif,7,copper,x,s1", "c.tif,,,y,s2", "elsewhere.tif,,gold,,", name="extra.csv"
    )
    catalogue, check = load_catalogue([images], labels=[labels], metadata=extra, group="Sample", sample="Sample")
    assert [entry.metadata for entry in catalogue.entries] == [{"wd_mm": "7", "Grid": "copper"}, {"wd_mm": "5"}, {}]
    assert [entry.group for entry in catalogue.entries] == ["s1", None, "s2"]
    assert catalogue.entries[0].sample == "s1"
    assert "Class left out" in check.to_text() and check.rows_without_image == ["extra.csv row 4: elsewhere.tif"]


def test_evaluating_keeps_the_schema_of_the_model(folder: Folder, sheet: Callable) -> None:
    schema = Schema((Task("Shape", ("Sphere", "Rod")), Task("Content", ("Gold", "Silver"), is_multilabel=True)))
    images = folder(["a.tif", "b.tif"])
    catalogue, _ = load_catalogue([images], labels=[sheet("filename,Shape,Extra", "a,rod,1", "b,Rod,2")], schema=schema)
    assert catalogue.schema == schema
    assert catalogue.truth("Shape").tolist() == [[False, True]] * 2 and not catalogue.truth("Content").any()
    text = complaint(images, labels=[sheet("filename,Form", "a,x", "b,y")], schema=schema)
    assert "no column is a task of the model" in text


def test_subset_keeps_the_order_asked_for(folder: Folder, sheet: Callable) -> None:
    images = folder(["a.tif", "b.tif", "c.tif"])
    catalogue, _ = load_catalogue([images], labels=[sheet("filename,Class", "a,x", "b,y", "c,x")])
    assert [entry.name for entry in catalogue.subset(np.array([2, 0])).entries] == ["c.tif", "a.tif"]


@pytest.mark.parametrize("name", ["labels.csv", "labels.xlsx"])
def test_emps(shared_data: Path, name: str) -> None:
    emps = shared_data / "emps"
    catalogue, check = load_catalogue([emps / "images"], labels=[emps / name], group="Paper", metadata=emps / "scale.csv")
    assert [task.name for task in catalogue.schema.tasks] == [
        "Modality",
        "Particle count",
        "Morphology",
        "Structure",
        "Arrangement",
        "Usability",
    ]
    assert len(catalogue.entries) == 366 and len({entry.group for entry in catalogue.entries}) == 247
    assert check.tasks[2].blank == 11 and catalogue.truth("Morphology").any(axis=1).sum() == 355
    assert not check.images_without_row and not check.rows_without_image
    assert sum("pixel_size_nm" in entry.metadata for entry in catalogue.entries) == 287


def test_emps_without_group_learns_no_paper(shared_data: Path) -> None:
    _, check = load_catalogue([shared_data / "emps" / "images"], labels=[shared_data / "emps" / "labels.csv"])
    assert list(check.ignored_columns) == ["Paper"]


def test_nffa_class_folders(shared_data: Path) -> None:
    catalogue, _ = load_catalogue([shared_data / "nffa_layout"])
    assert len(catalogue.schema.tasks[0].classes) == 10 and len(catalogue.entries) == 61
