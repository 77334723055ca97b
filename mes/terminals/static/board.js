// The board: sets only what changed. Colour, shape and text of a state come together from one table.
import { connect, showStale } from "./live.js";

const board = document.getElementById("board");
const T = JSON.parse(board.dataset.texts);
const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: T.zone, dateStyle: "short", timeStyle: "medium" });
const short = new Intl.DateTimeFormat("sv-SE", { timeZone: T.zone, timeStyle: "short" });
const at = (iso) => (iso ? short.format(new Date(iso)) : "");
const make = (tag, cls, text) => Object.assign(document.createElement(tag), { className: cls ?? "", textContent: text ?? "" });
const SVG = "http://www.w3.org/2000/svg";
const svg = (tag, attributes) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
};
const icon = (shape) => { const node = svg("svg", { class: "icon" }); node.append(svg("use", { href: `#i-${shape}` })); return node; };
const setText = (node, text) => { if (node.textContent !== text) node.textContent = text; };
const marksOf = (cell) => (cell.marks.length > 2 ? `${cell.marks.slice(0, 2).join(", ")} +${cell.marks.length - 2}` : cell.marks.join(", "));

function drawPallet(node, drawing) {
  if (node.dataset.run === (drawing?.run ?? "")) return;
  node.dataset.run = drawing?.run ?? "";
  node.replaceChildren();
  if (!drawing) return;
  node.setAttribute("viewBox", `-60 -60 ${drawing.length_mm + 120} ${drawing.width_mm + 120}`);
  node.append(svg("rect", { class: "deck", width: drawing.length_mm, height: drawing.width_mm, rx: 60 }));
  for (const piece of drawing.pieces) node.append(svg("path", { class: "piece", "fill-rule": "evenodd", d: piece.path }));
}

function station(id, cell, picture) {
  const tile = document.getElementById(`st-${id}`);
  if (!tile || !cell) return;
  const look = T.states[cell.show];
  tile.className = `tile t-${look.css}`;
  const state = tile.querySelector(".state");
  state.className = `state s-${look.css}`;
  state.querySelector("use").setAttribute("href", `#i-${look.shape}`);
  setText(state.querySelector(".state-text"), look.text);
  drawPallet(tile.querySelector(".pallet"), picture.pallets?.[cell.run]);
  const what = cell.reason || (cell.run ? `${cell.pallet} · ${cell.job ? `${T.operations[cell.operation] ?? cell.operation} ${at(cell.since)}` : marksOf(cell)}` : "");
  setText(tile.querySelector(".what"), what);
  const gauges = cell.gauges.map((gauge) => {
    const about = T.gauges[id]?.[gauge.tag];
    if (!about) return "";
    const row = make("li");
    const number = typeof gauge.value === "number";
    const out = gauge.good && number && (gauge.value < about.low || gauge.value > about.high);
    row.append(make("span", "", about.name), make("b", gauge.good ? (out ? "out" : "") : "bad", `${out ? "▲ " : ""}${gauge.value ?? "–"} ${about.unit}`));
    return row;
  });
  tile.querySelector(".gauges").replaceChildren(...gauges);
}

function slot(key, cell) {
  const node = document.getElementById(`slot-${key.replace("/", "-")}`);
  if (!node || !cell) return;
  const look = T.states[cell.show];
  node.className = `slot t-${look.css}`;
  const pallet = node.querySelector(".slot-pallet");
  pallet.replaceChildren(...(cell.run && cell.show !== "curing" ? [icon(look.shape)] : []), cell.pallet);
  node.title = cell.run ? `${look.text} · ${cell.marks.join(", ")}` : "";
  const t = cell.temperature_c;
  const temp = node.querySelector(".slot-temp");
  setText(temp, t.value === null ? "" : `${Number(t.value).toFixed(0)} °C`);
  temp.classList.toggle("bad", !t.good);
  setText(node.querySelector(".slot-strength"), cell.run && cell.required_mpa !== null ? `${cell.strength_mpa === null ? "–" : Math.round(cell.strength_mpa)}/${Math.round(cell.required_mpa)}` : "");
}

function alarms(all) {
  const level = { high: 0, medium: 1, low: 2 };
  const rows = Object.values(all ?? {}).sort((a, b) => level[a.level] - level[b.level] || String(a.since).localeCompare(String(b.since)));
  const shape = { job_stopped: "octagon", link_down: "cut", cube_test: "cube", late: "clock" };
  document.getElementById("alarms").replaceChildren(...(rows.length ? rows.map((alarm) => {
    const row = make("li", `alarm a-${alarm.level}`);
    const place = [alarm.station ? (T.stations[alarm.station] ?? alarm.station) : "", alarm.count ? `${alarm.count} ${T.words.pallets}` : "", alarm.pallet, alarm.slot].filter(Boolean).join(" · ");
    const link = make("a");
    link.href = { cube_test: "/inbox", late: "/plan" }[alarm.kind] ?? `/station/${alarm.station}`;
    link.append(icon(shape[alarm.kind]), make("b", "", T.alarms[alarm.kind]), make("time", "", at(alarm.since)), make("span", "", `${place}${alarm.hours ? ` · ≤ ${alarm.hours} h` : ""}${alarm.reason ? ` · ${alarm.reason}` : ""}`));
    row.append(link);
    return row;
  }) : [make("li", "calm", T.words["No alarms"])]));
}

function progress(cells) {
  document.getElementById("progress").replaceChildren(...Object.values(cells ?? {}).map((cell) => {
    const row = make("li");
    const head = make("p");
    const link = Object.assign(make("a", "", [cell.building, cell.storey].filter(Boolean).join(" · ") || cell.project), { href: `/orders/${cell.order}` });
    head.append(link, make("span", "soft", cell.due ? `${T.words.due} ${cell.due}` : T.words["no date"]), make("b", "", `${cell.stored}/${cell.ordered}`));
    const bar = svg("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none" });
    const share = (n) => (cell.ordered ? (100 * n) / cell.ordered : 0);
    bar.append(svg("rect", { class: "bar-ground", width: 100, height: 10 }), svg("rect", { class: "bar-cast", width: share(cell.cast), height: 10 }), svg("rect", { class: "bar-finished", width: share(cell.finished), height: 10 }), svg("rect", { class: "bar-part", width: share(cell.stored), height: 10 }));
    row.append(head, bar);
    return row;
  }));
}

function ages(all) {
  for (const [id, age] of Object.entries(all)) {
    const node = document.querySelector(`#st-${CSS.escape(id)} .age`);
    if (!node) continue;
    setText(node, age === null ? T.words["No data yet"] : `${age < 10 ? age.toFixed(1) : Math.round(age)} s ${T.words.ago}`);
    node.classList.toggle("old", age === null || age > 5);
  }
}

const pulse = document.getElementById("pulse");
connect({
  onCells(changed, picture) {
    const redrawn = new Set(Object.keys(changed.stations ?? {}));
    for (const [id, cell] of Object.entries(picture.stations ?? {})) {
      if (redrawn.has(id) || (changed.pallets && cell.run in changed.pallets)) station(id, cell, picture);
    }
    for (const [key, cell] of Object.entries(changed.chamber ?? {})) slot(key, cell);
    if (changed.alarms || !board.dataset.ready) alarms(picture.alarms);
    if (changed.orders || !board.dataset.ready) progress(picture.orders);
    for (const [key, value] of Object.entries(changed.kpi ?? {})) {
      for (const node of document.querySelectorAll(`[data-kpi="${key}"]`)) setText(node, String(value));
    }
    board.dataset.ready = "1";
  },
  onBeat(beat) {
    pulse.dataset.live = "live";
    setText(document.getElementById("pulse-text"), `${T.words.Live}${beat.speed !== 1 ? ` ×${Math.round(beat.speed)}` : ""}`);
    setText(document.getElementById("plant-time"), clock.format(new Date(beat.plant_time)));
    ages(beat.ages_s);
  },
  onStale(since) {
    showStale(since, T.words["STALE since"]);
    pulse.dataset.live = since ? "stale" : "live";
    if (since) setText(document.getElementById("pulse-text"), T.words["STALE since"]);
  },
});
