// Pages that show one thing of the line: when its cell changes, the page's main part is fetched anew.
import { connect, showStale } from "./live.js";

const root = () => document.querySelector("[data-refresh]");
const [section, key] = root().dataset.refresh.split("/");
const words = root().dataset.stale ?? "";
const busy = () => document.querySelector("main form.busy, main dialog[open]") || [...document.querySelectorAll("main input")].some((i) => i === document.activeElement || i.checked || (i.type !== "checkbox" && i.value !== i.defaultValue));
// What makes a page worth fetching again; measured values are not shown here.
const important = (cell) => cell && JSON.stringify([cell.show, cell.job, cell.run, cell.reason, cell.kind]);
let seen = {}, waiting = false;

async function fetchAgain() {
  if (busy()) { setTimeout(fetchAgain, 1000); return; }
  waiting = false;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.getElementById("main").replaceChildren(...page.getElementById("main").childNodes);
}

const pulse = document.getElementById("pulse");
connect({
  onCells(changed, picture, type) {
    const cells = picture[section] ?? {};
    const now = key ? { [key]: important(cells[key]) } : Object.fromEntries(Object.entries(cells).map(([id, cell]) => [id, important(cell)]));
    const news = JSON.stringify(now) !== JSON.stringify(seen) && (type !== "snapshot" || Object.keys(seen).length > 0);
    seen = now;
    if (news && !waiting) { waiting = true; fetchAgain(); }
  },
  onBeat() { if (pulse) pulse.dataset.live = "live"; },
  onStale(since) { showStale(since, words); if (pulse) pulse.dataset.live = since ? "stale" : "live"; },
});
