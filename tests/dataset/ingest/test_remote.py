"""Labelled images in buckets and in lists: what a folder with the same files gives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgeemo.dataset import open_data
from edgeemo.dataset.ingest import open_images
from edgeemo.dataset.ingest.examine import examine_file
from edgeemo.dataset.ingest.find import find_any_files
from edgeemo.errors import DatasetError, EdgeEmoError
from edgeemo.evaluate.labelled import ClassChoice, find_labelled_images

LAYOUTS = (
    "happy/1.jpg sad/1.jpg sad/deep/2.png sad/.hidden.jpg sad/Thumbs.db notes.txt",
    "data/train/happy/1.jpg data/train/sad/1.jpg data/test/happy/2.jpg data/Test_images/sad/3.jpg",
    "Training/happy/1.jpg Training/sad/1.jpg PublicTest/sad/2.jpg odd/3.jpg __MACOSX/x.jpg",
    "test/happy/1.jpg test/sad/1.jpg",
    "test/happy/1.jpg train/sad/1.jpg train/happy/2.jpg",
    "validation/odd/1.jpg train/sad/1.jpg train/happy/2.jpg",
    "one/happy/1.jpg",
    "happy/1.jpg happy/2.txt",
    "1.jpg 2.txt split.csv",
    "train/1.jpg train/2.jpg other/happy/3.jpg other/sad/4.jpg",
)


def _try(function, *arguments):
    try:
        return function(*arguments)
    except EdgeEmoError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_bucket_has_the_layout_of_its_folder(tmp_path, buckets, layout):
    folder = tmp_path / "photos"
    for name in layout.split():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"1")
    buckets.add(folder, "bucket/photos")
    for scheme in ("s3://", "gs://"):
        address = f"{scheme}bucket/photos"
        with open_images(address) as root:
            for find in (find_any_files, _find_happy):
                local, remote = _try(find, folder), _try(find, root)
                if isinstance(local, str):
                    assert remote == local.replace(str(folder), address)
                else:
                    assert str(remote.root) == address
                    assert replace(remote, root=folder) == local


def _find_happy(root):
    return find_labelled_images(root, ["happy", "neutral"])


@pytest.fixture
def listed(tmp_path):
    for name, content in (("a/1.jpg", b"1"), ("a/2.jpg", b"2"), ("b/3.jpg", b"3")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path / "list.csv"


def test_a_list_says_what_its_images_are(listed):
    folder = listed.parent
    listed.write_text(
        "label,path,split,more\n"
        f"sad,a/2.jpg,val,\nhappy,{folder}/b/../b/3.jpg,train,\nhappy,./a/1.jpg,test,\n"
    )
    with open_images(listed) as root:
        layout = find_any_files(root)
        assert (layout.labels, layout.splits) == (("happy", "sad"), ("train", "validation", "test"))
        assert [(file.path, file.label, file.split) for file in layout.files] == [
            ("a/1.jpg", "happy", "test"), ("a/2.jpg", "sad", "validation"),
            ("b/3.jpg", "happy", "train"),
        ]  # fmt: skip
        assert (root / layout.files[0].path).read_bytes() == b"1"
        assert [file.path for file in find_any_files(root, classes=["sad"]).files] == ["a/2.jpg"]
        found = find_labelled_images(root, ["HAPPY", "neutral"])
        assert (found.split, [image.path for image in found.images]) == ("test", ["a/1.jpg"])
        found = find_labelled_images(root, ["HAPPY", "neutral"], ClassChoice(split="all"))
        assert [image.label for image in found.images] == ["HAPPY", None, "HAPPY"]
        with pytest.raises(DatasetError, match="class 'angry' is unknown"):
            find_labelled_images(root, ["happy"], ClassChoice(split="all", classes=["angry"]))


def test_a_list_of_addresses_may_lie_in_its_bucket(buckets, listed):
    buckets.objects["bucket/p/a/1.jpg"] = b"no image"
    text = "path,label\ns3://bucket/p/a/1.jpg,happy\ns3://bucket/p/b/2.jpg,sad\n"
    buckets.objects["bucket/p/list.csv"] = text.replace("s3://bucket/p/", "").encode()
    listed.write_text(text)
    for source in (listed, "s3://bucket/p/list.csv"):
        with open_images(source) as root:
            assert str(root) == "s3://bucket/p"
            files = find_any_files(root).files
            assert [(file.path, file.label) for file in files] == [
                ("a/1.jpg", "happy"), ("b/2.jpg", "sad")
            ]  # fmt: skip
            verdicts = [examine_file(root, file, formats=["JPEG"]).verdict for file in files]
            assert [verdict.reason for verdict in verdicts] == ["not-an-image", "unreadable"]
            assert verdicts[1].detail == "No such file or directory"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no column path and label"),
        ("file,label\na,b\n", "has no column path; a list of images has path, label and"),
        ("path,label\n", "lists no images"),
        ("path,label\na.jpg,x\n,x\n", "line 3: has no path"),
        ("path,label\na.jpg\n", "line 2: has no label"),
        ("path,label\na.jpg,x\na.jpg,y\n", "line 3: lists a.jpg again"),
        ("path,label\na.jpg,../x\n", "line 2: the label '../x' cannot be the name of a folder"),
        ("path,label,split\na.jpg,x,odd\n", "line 2: 'odd' is no split: train, validation"),
        ("path,label\na.jpg,x\ns3://b1/a,x\n", "several places .s3://b1 and this machine.; make"),
        ("path,label\ns3://u:secret@b1/a,x\n", "has credentials in it"),
        ('path,label\n"a.jpg,x\n', "line 1: unexpected end of data"),
        (b"path,label\n\xff\xfe,x\n", "is no text of UTF-8"),
    ],
)
def test_a_bad_list_is_refused_in_one_line(listed, text, words):
    listed.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(EdgeEmoError, match=words) as error, open_images(listed):
        pass
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


def test_other_commands_refuse_buckets_and_lists(listed, edgeemo):
    listed.write_text("path,label\na/1.jpg,x\n")
    with pytest.raises(DatasetError, match="alone take a list"), open_data(listed):
        pass
    shown = edgeemo("data", "split", "s3://bucket/photos", "--out", listed.parent / "new")
    assert shown.status == 1
    assert shown.err == (
        "error: s3://bucket/photos: copy the images to a folder of this machine; predict, "
        "evaluate, data check and data crop alone read buckets\n"
    )
