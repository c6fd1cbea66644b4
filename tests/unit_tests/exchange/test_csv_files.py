"""CSV as people export it: delimiters, encodings, bad lines with their numbers."""

import gzip

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.errors import FileFault
from chw_tools.exchange.archives import list_files
from chw_tools.exchange.csv_files import read_csv, read_parquet


def _read(path, **more):
    bad = []
    (file,) = list_files(path)
    frames = list(read_csv(file, lambda *said: bad.append(said), **more))
    return (pd.concat(frames) if frames else None), bad


def _write(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "people.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_from_the_header(tmp_path, delimiter):
    text = f"id{delimiter}name\n1{delimiter}Ada\n2{delimiter}\n"
    frame, bad = _read(_write(tmp_path, text))
    assert frame["id"].tolist() == ["1", "2"]
    assert frame["name"].isna().tolist() == [False, True]
    assert frame.index.tolist() == [2, 3]
    assert bad == []


def test_bad_lines_go_with_their_numbers_and_the_rest_stays(tmp_path):
    text = "id,name\n1,a\n2\n3,b\n\n4,c,d\n5,e\n"
    frame, bad = _read(_write(tmp_path, text))
    assert frame["id"].tolist() == ["1", "3", "5"]
    assert frame.index.tolist() == [2, 4, 7]
    assert [at for at, _, _ in bad] == ["people.csv:3", "people.csv:6"]
    assert "1 fields, the header 2" in bad[0][1]


def test_line_breaks_within_quotes_move_the_numbers(tmp_path):
    frame, _ = _read(_write(tmp_path, 'id,name\n1,"a\nb"\n2,c\n'))
    assert frame.index.tolist() == [2, 4]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    frame, _ = _read(_write(tmp_path, "id,name\n1,a\n", "utf-8-sig"))
    assert list(frame) == ["id", "name"]


def test_another_encoding_is_a_fault_that_names_the_cure(tmp_path):
    path = _write(tmp_path, "id,name\n1,Zoë\n", "cp1252")
    with pytest.raises(FileFault, match="encoding"):
        _read(path)
    frame, _ = _read(path, encoding="cp1252")
    assert frame["name"].tolist() == ["Zoë"]
    with pytest.raises(FileFault, match="not utf-8"):
        _read(_write(tmp_path, "id,name\n1,a\n", "utf-16"))


def test_empty_twice_named_and_headed_only(tmp_path):
    with pytest.raises(FileFault, match="empty"):
        _read(_write(tmp_path, ""))
    with pytest.raises(FileFault, match=r"twice \(fields 1, 2\)"):
        _read(_write(tmp_path, "id,id\n1,2\n"))
    frame, bad = _read(_write(tmp_path, "id,name\n"))
    assert (list(frame), len(frame)) == (["id", "name"], 0)
    assert bad == []


def test_blank_lines_below_the_header_hide_nothing(tmp_path):
    frame, bad = _read(_write(tmp_path, "id,name\n\n\n1,a\n"))
    assert (frame["id"].tolist(), frame.index.tolist(), bad) == (["1"], [4], [])
    assert _read(_write(tmp_path, "id\n\n\n")) == (None, [])


@pytest.mark.parametrize("row", ['2,"b\n3,c\n4,d\n', '2,c,"b\n3,c\n4,d\n', '"2\n3,c\n'])
def test_an_unclosed_quotation_mark_swallows_no_records_unseen(tmp_path, row):
    with pytest.raises(FileFault, match=r"people\.csv:3.*quotation mark"):
        _read(_write(tmp_path, "id,name\n1,a\n" + row))


def test_a_quotation_mark_within_a_field_is_no_fault(tmp_path):
    frame, _ = _read(_write(tmp_path, 'id,name\n1,5" pipe\n2,"a\nb"\n3,c\n'))
    assert frame["name"].tolist() == ['5" pipe', "a\nb", "c"]


def test_bad_lines_below_line_breaks_go_with_their_own_numbers(tmp_path):
    text = 'id,name\n1,"a\nb"\n2\n3,"c\nd",e\n4\n5,f\n6\n'
    frame, bad = _read(_write(tmp_path, text))
    assert frame.index.tolist() == [2, 8]
    assert [at for at, _, _ in bad] == [f"people.csv:{line}" for line in (4, 5, 7, 9)]
    assert "several lines" in bad[1][1]


@pytest.mark.parametrize("content", [b"id,name\r1,a\r", "id,name\n1,a\n".encode("utf-16-le")])
def test_line_ends_and_encodings_that_are_not_ours_are_faults(tmp_path, content):
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    with pytest.raises(FileFault):
        _read(path)


def test_a_truncated_gzip_is_a_fault(tmp_path):
    path = tmp_path / "people.csv.gz"
    path.write_bytes(gzip.compress(b"id,name\n" + b"1,abcdefgh\n" * 5000)[:-12])
    (file,) = list_files(path)
    with pytest.raises(FileFault):
        list(read_csv(file, lambda *_: None))


def test_parquet_comes_with_row_numbers(tmp_path):
    path = tmp_path / "people.parquet"
    pd.DataFrame({"id": ["a", "b"], "n": [1, None]}).to_parquet(path)
    (file,) = list_files(path)
    (frame,) = read_parquet(file)
    assert frame.index.tolist() == [1, 2]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(FileFault, match="Parquet"):
        list(read_parquet(next(list_files(path))))


@settings(max_examples=25, deadline=None)
@given(widths=st.lists(st.integers(1, 4), min_size=1, max_size=30))
def test_every_line_is_a_row_or_listed(tmp_path_factory, widths):
    path = tmp_path_factory.mktemp("lines") / "people.csv"
    lines = [",".join("x" * width) for width in widths]
    path.write_text("a,b\n" + "\n".join(lines) + "\n")
    frame, bad = _read(path)
    rows = [] if frame is None else frame.index.tolist()
    listed = [int(at.rpartition(":")[2]) for at, _, _ in bad]
    assert sorted(rows + listed) == list(range(2, len(widths) + 2))
    assert rows == [line for line, width in enumerate(widths, start=2) if width == 2]
