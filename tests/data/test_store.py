"""Stories of a shop's folder: where it is, what its settings may say, and which tables are in use."""

import json

import pytest

from playbook.data.store import ShopError, create, home, open_store, shops


def settings_of(make_shop, text):
    return make_shop("corner", {}, text).settings


# --- the folder ------------------------------------------------------------------------------------


def test_a_new_shop_has_its_name_as_title_and_leaves_money_and_clock_to_its_exports(home):
    folder = create("corner-2")
    assert folder == home / "data" / "corner-2" and (folder / "raw").is_dir()
    s = open_store("corner-2").settings
    assert (s.name, s.title, s.currency, s.zone) == ("corner-2", "corner-2", "", "")
    assert (s.language, s.week_start, s.engine) == ("en", "monday", "duckdb")


def test_every_line_of_the_template_that_is_commented_out_is_a_setting_that_works(home):
    path = create("corner") / "shop.toml"
    text = path.read_text(encoding="utf-8")
    lines = [line.removeprefix("# ") if " = " in line else line for line in text.splitlines()]
    path.write_text("\n".join(lines), encoding="utf-8")
    s = open_store("corner").settings
    assert (s.currency, s.zone, s.week_start, s.engine) == ("CNY", "Asia/Shanghai", "monday", "duckdb")


@pytest.mark.parametrize("name", ["", "../up", "a/b", "-x", "my shop", ".hidden"])
def test_a_name_that_is_none_for_a_folder_is_refused(home, name):
    with pytest.raises(ShopError, match="is no name for a shop: use letters, digits and dashes"):
        create(name)
    assert list((home / "data").iterdir()) == []


def test_a_shop_may_have_a_chinese_name(home):
    create("小店")
    assert shops() == ["小店"] and open_store("小店").name == "小店"


def test_a_shop_that_is_there_already_keeps_its_settings(home):
    (create("corner") / "shop.toml").write_text('currency = "GBP"\n')
    with pytest.raises(ShopError, match="'corner' is there already"):
        create("corner")
    assert open_store("corner").settings.currency == "GBP"


def test_a_folder_without_settings_is_no_shop(home):
    create("b-shop")
    create("a-shop")
    (home / "data" / "notes").mkdir()
    assert shops() == ["a-shop", "b-shop"]
    with pytest.raises(ShopError, match=r"no shop 'notes' \(there is: a-shop, b-shop\): run `playbook new notes`"):
        open_store("notes")


def test_an_empty_home_says_how_to_get_the_demo(home):
    with pytest.raises(ShopError, match=r"no shop 'demo' \(there is: none yet\): run `playbook demo`"):
        open_store("demo")


def test_home_is_what_is_said_else_the_nearest_folder_upwards_with_shops_in_it(tmp_path, monkeypatch):
    (tmp_path / "here" / "data" / "corner").mkdir(parents=True)
    (tmp_path / "here" / "data" / "corner" / "shop.toml").touch()
    (tmp_path / "here" / "deep" / "data").mkdir(parents=True)  # a folder of that name alone is not enough
    monkeypatch.chdir(tmp_path / "here" / "deep")
    monkeypatch.delenv("PLAYBOOK_HOME", raising=False)
    assert home() == tmp_path / "here"
    monkeypatch.setenv("PLAYBOOK_HOME", str(tmp_path / "said"))
    assert home() == tmp_path / "said"


# --- settings --------------------------------------------------------------------------------------


def test_settings_are_read_as_they_stand(make_shop):
    s = settings_of(
        make_shop,
        '\ufefftitle = "街角小店"\nlanguage = "zh"\ncurrency = "GBP"\nzone = "Europe/London"\nweek_start = "sunday"\n',
    )
    assert (s.name, s.title, s.language) == ("corner", "街角小店", "zh")
    assert (s.currency, s.zone, s.week_start) == ("GBP", "Europe/London", "sunday")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('colour = "red"', r"setting 'colour' that does not exist; there is: .*title.*currency, zone"),
        ("currency = 7", r"currency must be text in quotes"),
        ('zone = "Mars/Olympus"', r"'Mars/Olympus' is no time zone; write one like Asia/Shanghai"),
        ('zone = "../etc/passwd"', r"is no time zone; write one like Asia/Shanghai"),
        ('week_start = "Monday"', r"week_start is 'Monday'; write one of monday, tuesday"),
        ('engine = "sqlite"', r"engine is 'sqlite'; write one of duckdb, spark"),
        ("title = ", r"is not valid TOML"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_the_file_and_the_remedy(make_shop, text, said):
    with pytest.raises(ShopError, match=r"data/corner/shop\.toml.*" + said):
        make_shop("corner", {}, text)


# --- the tables in use -----------------------------------------------------------------------------


def built(store, key):
    folder = store.folder / "tables" / key
    folder.mkdir(parents=True)
    (folder / "ingest.json").write_text(json.dumps({"key": key}))
    return folder


def test_a_shop_without_tables_says_what_to_run(make_shop):
    store = make_shop("corner", {})
    assert store.tables is None
    with pytest.raises(ShopError, match="corner has no tables yet: run `playbook ingest corner`"):
        store.accounting()


def test_tables_are_in_use_once_published_and_the_older_ones_go(make_shop):
    store = make_shop("corner", {})
    first = built(store, "aaaa")
    assert store.tables is None
    store.publish(first)
    second = built(store, "bbbb")
    assert store.tables == first and store.accounting() == {"key": "aaaa"}
    store.publish(second)
    assert store.tables == second and store.accounting() == {"key": "bbbb"}
    assert sorted(p.name for p in (store.folder / "tables").iterdir()) == ["bbbb", "current"]
