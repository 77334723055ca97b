"""Every page in both languages; the public page of a component; no text without a translation; escaping."""

import re
from pathlib import Path

import pytest

import mes
from mes.api import texts
from mes.core.errors import Finding
from mes.orders.component_type import FAMILIES
from mes.terminals.web import SCREENS
from tests.api.house import House

PAGES = ("/", "/orders", "/orders/O1", "/plan", "/station", "/station/prepour", "/station/vibration", "/station/clean",
         "/station/embeds", "/inbox", "/labels", "/labels?q=YB-101", "/login")  # fmt: skip
CJK = re.compile(r"[\u4e00-\u9fff]")


class Recording(dict[str, str]):
    missing: set[str]

    def get(self, key: str, default: object = None) -> object:  # type: ignore[override]
        if key not in self:
            self.missing.add(key)
        return super().get(key, default)  # type: ignore[arg-type]


async def test_every_page_opens_and_has_no_text_without_translation(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Recording(texts.catalogue("zh"))
    table.missing = set()
    monkeypatch.setattr(texts, "catalogue", lambda language: table)
    for user in (None, "planner", "quality", "lead"):
        async with house.client(user, accept="text/html") as client:
            for page in (*PAGES, f"/c/{house.codes[0]}"):
                answer = await client.get(page)
                assert answer.status_code == 200, f"{page}: {answer.text[:300]}"
                assert 'lang="zh-CN"' in answer.text
                assert "style=" not in answer.text
                assert not re.search(r"<script(?![^>]*src=)", answer.text), "no inline script"
    assert table.missing == set()


async def test_english_pages_have_no_chinese_texts_of_ours(house: House) -> None:
    async with house.client(accept="text/html") as client:
        for page in ("/station", "/plan", "/login", "/inbox"):
            text = (await client.get(f"{page}?lang=en")).text
            own = [line for line in text.splitlines() if CJK.search(line) and "?lang=zh" not in line]
            assert own == [], page
            assert 'lang="en"' in text


async def test_a_language_wish_is_remembered(house: House) -> None:
    async with house.client(accept="text/html") as client:
        await client.get("/?lang=en")
        assert "Chamber slots used" in (await client.get("/")).text


async def test_the_page_of_a_component_needs_no_login_and_names_nobody(house: House) -> None:
    code = house.codes[14]
    async with house.client(accept="text/html") as client:
        for path in (f"/c/{code}", f"/C/{code}", f"/c/{code.lower()}"):
            page = await client.get(path)
            assert page.status_code == 200
            assert f"{code[:4]}-{code[4:8]}-{code[8:]}" in page.text
            assert "operator" not in page.text
        assert "已入库" in page.text
        assert "Conformant" in (await client.get(f"/c/{code}?lang=en")).text


async def test_a_wrong_code_gets_one_clear_sentence(house: House) -> None:
    good = house.codes[0]
    wrong = good[:-1] + ("0" if good[-1] != "0" else "1")
    async with house.client(accept="text/html") as client:
        page = await client.get(f"/c/{wrong}?lang=en")
        assert page.status_code == 404
        assert "wrong symbol" in page.text
        chinese = await client.get(f"/c/{wrong}?lang=zh")
        assert "这不是有效的构件编码" in chinese.text
        from mes.tracking.code import new_code

        unknown = await client.get(f"/c/{new_code(5)}?lang=en")
        assert unknown.status_code == 404
        assert "There is no component" in unknown.text


async def test_what_files_say_is_escaped(house: House) -> None:
    async with house.client(accept="text/html") as client:
        page = await client.get("/labels?q=%3Cscript%3Ealert(1)%3C/script%3E")
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;" in page.text


async def test_login_leads_to_own_pages_only(house: House) -> None:
    async with house.client(accept="text/html") as client:
        assert 'data-next="/plan"' in (await client.get("/login?next=/plan")).text
        for foreign in ("//evil.example", "https://evil.example", "/\\evil.example"):
            assert 'data-next="/"' in (await client.get("/login", params={"next": foreign})).text


def test_catalogues_have_every_family_and_agree() -> None:
    zh, en = texts.catalogue("zh"), texts.catalogue("en")
    assert all(f"family {family}" in zh and f"family {family}" in en for family in FAMILIES)
    assert set(en) <= set(zh)
    fields = re.compile(r"\{(\w+)\}")
    for key, text in zh.items():
        assert set(fields.findall(text)) == set(fields.findall(en.get(key, key))), key


def test_every_text_of_templates_is_in_the_catalogue() -> None:
    zh = texts.catalogue("zh")
    folder = Path(mes.__file__).parent / "terminals"
    found = {
        key for path in folder.rglob("*.html") for key in re.findall(r"""\b_\("([^"]+)\"""", path.read_text("utf-8"))
    }
    assert len(found) > 80
    assert found - set(zh) == set()


def test_every_screen_has_its_folder_and_says_who_stands_there() -> None:
    folder = Path(mes.__file__).parent / "terminals"
    screens = {path.parent.name for path in folder.glob("*/page.py")}
    assert screens == set(SCREENS)
    for screen in screens:
        assert "**Who:**" in (folder / screen / "view.md").read_text("utf-8")


def test_findings_are_plain_data() -> None:
    assert vars(Finding("error", "c", "m", "w")) == {"severity": "error", "code": "c", "message": "m", "where": "w"}
