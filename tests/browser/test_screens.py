"""The screens in a real browser: the board lives and goes stale, people work at a station, phones read a component."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from mes.plc.tags import Quality, Reading
from tests.browser.chromium import SCREENSHOTS
from tests.browser.served import Served

pytestmark = [pytest.mark.service, pytest.mark.slow]
WALL: Any = {"width": 1280, "height": 800}
PHONE: Any = {"width": 390, "height": 844}
WAIT_MS = 20_000
SMALLEST_TARGET = 57


async def open_page(browser: Browser, served: Served, path: str, size: Any = WALL) -> tuple[Page, list[str]]:
    context = await browser.new_context(viewport=size, base_url=served.url)
    page = await context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(path)
    return page, errors


async def log_in(page: Page, served: Served, user: str, then: str) -> None:
    await page.goto(f"/login?next={then}&lang=zh")
    await page.fill('input[name="name"]', user)
    await page.fill('input[name="password"]', served.house.accounts[user]["password"])
    await page.click("main button")
    await page.wait_for_url(f"**{then}", timeout=WAIT_MS)


async def test_the_board_lives_and_goes_stale_when_the_server_stops(browser: Browser, served: Served) -> None:
    page, errors = await open_page(browser, served, "/")
    await expect(page.locator("#st-vibration .state-text")).to_have_text("停止", timeout=WAIT_MS)
    await expect(page.locator("#st-levelling .state-text")).to_have_text("连接中断")
    await expect(page.locator("#st-mark svg.pallet path")).to_have_count(1)
    await expect(page.locator(".alarm")).not_to_have_count(0)
    await expect(page.locator("#pulse")).to_have_attribute("data-live", "live", timeout=WAIT_MS)
    await page.screenshot(path=SCREENSHOTS / "board-zh.png", full_page=True)
    tags = served.house.services.tags
    tags.set("chamber/temperature-01-1", Reading(63.0, Quality.GOOD, "", None, None, tags.mono()))
    await expect(page.locator("#slot-line-1-01-1 .slot-temp")).to_have_text("63 °C", timeout=WAIT_MS)
    tags.link_down("chamber", "offline")
    await expect(page.locator("#slot-line-1-01-1 .slot-temp.bad")).to_have_count(1, timeout=WAIT_MS)
    assert errors == []
    await expect(page.locator("#stale")).to_be_hidden()
    await served.stop()
    await expect(page.locator("#stale")).to_contain_text("数据已过期", timeout=WAIT_MS)
    await page.screenshot(path=SCREENSHOTS / "board-stale.png")


async def test_the_board_in_english(browser: Browser, served: Served) -> None:
    page, errors = await open_page(browser, served, "/?lang=en")
    await expect(page.locator("#st-prepour .state-text")).to_have_text("To be signed", timeout=WAIT_MS)
    assert await page.evaluate("document.documentElement.lang") == "en"
    await page.screenshot(path=SCREENSHOTS / "board-en.png", full_page=True)
    await expect(page.locator("#pulse")).to_have_attribute("data-live", "live", timeout=WAIT_MS)
    assert await page.evaluate("document.querySelector('.top').getBoundingClientRect().height") < 70, "one row of head"
    assert errors == []


async def test_state_colour_shape_and_text_agree(browser: Browser, served: Served) -> None:
    page, _ = await open_page(browser, served, "/?lang=en")
    await expect(page.locator("#st-vibration .state-text")).to_have_text("Stopped", timeout=WAIT_MS)
    rows = await page.eval_on_selector_all(
        ".tile",
        "tiles => tiles.map(t => [t.className, t.querySelector('use').getAttribute('href'), t.querySelector('.state-text').textContent])",
    )
    looks: dict[str, set[tuple[str, str]]] = {}
    for css, shape, text in rows:
        looks.setdefault(text, set()).add((css, shape))
    assert len(rows) == 19
    assert all(len(ways) == 1 for ways in looks.values()), looks
    assert looks["Stopped"] == {("tile t-stopped", "#i-octagon")}


async def test_an_inspector_signs_the_hidden_works(browser: Browser, served: Served) -> None:
    page, errors = await open_page(browser, served, "/login")
    await log_in(page, served, "quality", "/station/prepour")
    await page.screenshot(path=SCREENSHOTS / "station-prepour.png", full_page=True)
    boxes = page.locator('input[name="check"]')
    assert await boxes.count() >= 8
    for index in range(await boxes.count()):
        await boxes.nth(index).check()
    await page.click('button[value="pass"]')
    await expect(page.locator('button[value="pass"]')).to_have_count(0, timeout=WAIT_MS)
    assert errors == []


async def test_a_shift_lead_settles_and_scrapping_takes_two_presses(browser: Browser, served: Served) -> None:
    page, _ = await open_page(browser, served, "/login")
    await log_in(page, served, "lead", "/station/vibration")
    await page.screenshot(path=SCREENSHOTS / "station-stopped.png", full_page=True)
    await page.fill('input[name="reason"]', "电机保护已复位")
    await page.click('button[value="scrap"]')
    await expect(page.locator('button[value="scrap"]')).to_contain_text("再按一次")
    await page.click('button[value="retry"]')
    await expect(page.locator(".alarm-card")).to_have_count(0, timeout=WAIT_MS)


async def test_planner_pages_and_an_upload(browser: Browser, served: Served) -> None:
    page, errors = await open_page(browser, served, "/login")
    await log_in(page, served, "planner", "/orders")
    await page.set_input_files('input[type="file"]', {"name": "x.ifc", "mimeType": "text/plain", "buffer": b"no ifc"})
    await page.click("form[data-upload] button")
    await expect(page.locator("form[data-upload] .form-error")).to_contain_text("IFC", timeout=WAIT_MS)
    good = {"name": "b.ifc", "mimeType": "text/plain", "buffer": b"ISO-10303-21;"}
    await page.set_input_files('input[type="file"]', good)  # type: ignore[arg-type]
    await page.click("form[data-upload] button")
    await expect(page.locator("#import-result a")).to_have_attribute("href", "/orders/O1", timeout=WAIT_MS)
    await page.screenshot(path=SCREENSHOTS / "orders.png", full_page=True)
    await page.goto("/orders/O1")
    await page.fill('tr[data-storey="2层"] input[name="due"]', "2026-12-20")
    await page.click("form[data-due] button.primary")
    await page.wait_for_load_state("networkidle")
    await expect(page.locator('tr[data-storey="2层"] input[name="due"]')).to_have_value("2026-12-20", timeout=WAIT_MS)
    await page.screenshot(path=SCREENSHOTS / "order.png", full_page=True)
    await page.goto("/plan")
    await page.screenshot(path=SCREENSHOTS / "plan.png")
    await page.goto("/labels?q=YB-1")
    await page.wait_for_load_state("networkidle")
    await page.screenshot(path=SCREENSHOTS / "labels.png")
    assert [text for text in errors if "422" not in text] == []


async def test_inbox_and_station_list(browser: Browser, served: Served) -> None:
    page, errors = await open_page(browser, served, "/login")
    await log_in(page, served, "quality", "/inbox")
    await page.screenshot(path=SCREENSHOTS / "inbox.png", full_page=True)
    await page.fill('input[name="strength_mpa"]', "22.5")
    await page.click("form[data-number] button")
    await expect(page.locator("form[data-number]")).to_have_count(0, timeout=WAIT_MS)
    await page.goto("/station")
    await page.screenshot(path=SCREENSHOTS / "stations.png", full_page=True)
    assert errors == []


async def test_a_phone_reads_a_component_in_both_languages(browser: Browser, served: Served) -> None:
    code = served.house.codes[14]
    for language in ("zh", "en"):
        page, errors = await open_page(browser, served, f"/c/{code}?lang={language}", PHONE)
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], "a phone page never scrolls sideways"
        await page.screenshot(path=SCREENSHOTS / f"component-{language}.png", full_page=True)
        assert errors == []
    page, _ = await open_page(browser, served, f"/c/{code[:-1]}{'0' if code[-1] != '0' else '1'}?lang=zh", PHONE)
    await expect(page.locator("h1")).to_have_text("这不是有效的构件编码")
    await page.screenshot(path=SCREENSHOTS / "component-wrong.png")


@pytest.mark.parametrize("path", ["/", "/orders", "/orders/O1", "/plan", "/station", "/station/prepour", "/inbox"])
async def test_everything_that_is_touched_is_large_enough(browser: Browser, served: Served, path: str) -> None:
    page, _ = await open_page(browser, served, "/login")
    await log_in(page, served, "quality", path)
    await page.wait_for_timeout(300)
    small = await page.eval_on_selector_all(
        "button, .button, nav a, .tile > a, .check, input:not([type=checkbox]):not(.sr), select",
        f"""nodes => nodes.filter(n => n.offsetParent !== null).map(n => [n.outerHTML.slice(0, 90), n.getBoundingClientRect()])
            .filter(([, r]) => r.height < {SMALLEST_TARGET} || r.width < {SMALLEST_TARGET}).map(([html, r]) => `${{html}} ${{r.width}}x${{r.height}}`)""",
    )
    assert small == []
