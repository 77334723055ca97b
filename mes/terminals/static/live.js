// The live channel of a page: one EventSource, the whole picture first, then deltas; stale after 3 s without a frame.
const STALE_AFTER_MS = 3000;

export function connect({ onCells, onBeat = () => {}, onStale = () => {} }) {
  let picture = {}, last = Date.now(), stale = false;
  const alive = () => {
    last = Date.now();
    if (stale) { stale = false; onStale(null); }
  };
  const open = () => {
    const source = new EventSource("/api/v1/live");
    source.onmessage = (event) => {
      alive();
      const frame = JSON.parse(event.data);
      const changed = frame.cells;
      if (frame.type === "snapshot") {
        for (const [section, cells] of Object.entries(picture)) {
          for (const key of Object.keys(cells)) {
            if (!(changed[section] && key in changed[section])) (changed[section] ??= {})[key] = null;
          }
        }
      }
      for (const [section, cells] of Object.entries(changed)) {
        const own = (picture[section] ??= {});
        for (const [key, cell] of Object.entries(cells)) cell === null ? delete own[key] : (own[key] = cell);
      }
      onCells(changed, picture, frame.type);
    };
    source.addEventListener("beat", (event) => { alive(); onBeat(JSON.parse(event.data)); });
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) setTimeout(open, 2000); };
    window.addEventListener("pagehide", () => source.close(), { once: true });
  };
  setInterval(() => {
    if (!stale && Date.now() - last > STALE_AFTER_MS) { stale = true; onStale(new Date(last)); }
  }, 250);
  open();
}

// Shows on the page that its picture is old: the hatch, and a sentence with the time of the last frame.
export function showStale(since, words) {
  const banner = document.getElementById("stale");
  document.body.classList.toggle("is-stale", since !== null);
  if (!banner) return;
  banner.hidden = since === null;
  banner.textContent = since ? `${words} ${since.toTimeString().slice(0, 8)}` : "";
}
