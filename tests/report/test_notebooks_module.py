"""Stories of the book's notebooks: which there are, what they need, what of them decides a run."""

import nbformat
import pytest

from playbook.data.store import ShopError
from playbook.report.notebooks import chosen, notebooks, parameters, with_needs


def slugs(found):
    return [n.slug for n in found]


@pytest.fixture
def four(book):
    book("02b_second", "1", after=["01_first"])
    book("01_first", "import json\n%time import csv", "from os import path\nif True:\n    import re")
    book("03_third", "1", after=["02b_second"])
    book("04_fourth", "1")
    (book("99_draft", "1")).rename(book("99_draft", "1").with_name("draft.ipynb"))
    return notebooks()


def test_notebooks_with_a_number_are_the_book_and_open_with_title_and_question(four):
    assert slugs(four) == ["01_first", "02b_second", "03_third", "04_fourth"]
    assert [n.number for n in four] == ["01", "02b", "03", "04"]
    assert (four[0].title, four[0].question) == ("First", "What does 01_first say?")


def test_some_are_chosen_by_number_or_name_and_bring_what_they_need(four):
    assert slugs(chosen(four, ["04", "02b_second"])) == ["02b_second", "04_fourth"]
    assert chosen(four, []) == four
    assert slugs(with_needs(four, chosen(four, ["03"]))) == ["01_first", "02b_second", "03_third"]


def test_imports_are_those_that_stand_by_themselves_in_cells_of_plain_python(four):
    assert four[0].imports == ["from os import path"]


def test_what_a_run_left_in_the_file_does_not_change_its_source_but_a_cell_or_a_need_does(book, four):
    def source():
        return notebooks()[3].source

    before, path = source(), four[3].path
    nb = nbformat.read(path, 4)
    nb.cells[-1].outputs = [nbformat.v4.new_output("stream", text="x")]
    nb.cells[-1].execution_count, nb.cells[-1].metadata["collapsed"] = 3, True
    nb.cells.append(nbformat.v4.new_code_cell("a widget", metadata={"tags": ["explore"]}))
    nbformat.write(nb, path)
    assert source() == before
    book("04_fourth", "2")
    changed = source()
    book("04_fourth", "1", after=["01_first"])
    assert len({before, changed, source()}) == 3


def test_parameters_are_read_by_the_type_that_a_notebook_declares(book, four):
    assert parameters(four, {}) == {slug: {} for slug in slugs(four)}
    assert parameters(four, {"level": "7"})["03_third"] == {"level": 7}
    with pytest.raises(ShopError, match="no notebook has a parameter 'depth'; there is: level"):
        parameters(four, {"depth": "7"}, among=four[:1])


def test_a_file_that_is_no_notebook_is_named(book, four):
    four[0].path.write_text("{")
    with pytest.raises(ShopError, match=r"01_first\.ipynb is no notebook"):
        notebooks()
