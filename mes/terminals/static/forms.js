// Forms that speak to the HTTP interface: JSON with the session's token and a command id, problems shown in place.
const csrf = document.querySelector('meta[name="csrf"]').content;
const errorOf = (form) => form.querySelector(".form-error");
const id = () => (crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(16).slice(2)}`);
const headers = (more = {}) => ({ "X-CSRF-Token": csrf, Accept: "application/json", ...more });

async function send(method, url, body, command) {
  const answer = await fetch(url, { method, headers: headers({ "Content-Type": "application/json", "Idempotency-Key": command }), body: JSON.stringify(body) });
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(), { problem: data, status: answer.status });
  return data;
}

function showProblem(form, error) {
  const { problem } = error;
  const node = errorOf(form);
  const text = problem ? [problem.title, document.documentElement.lang === "en" ? problem.detail : "", problem.hint && document.documentElement.lang === "en" ? problem.hint : ""].filter(Boolean).join(" · ") : String(error.message || error);
  const findings = (problem?.findings ?? problem?.faults ?? []).slice(0, 5).map((f) => f.message);
  if (node) { node.textContent = [text, ...findings].join("\n"); node.hidden = false; }
}

function bodyOf(form, button) {
  if (form.dataset.finish) {
    const data = { result: button?.value ?? "pass" };
    const boxes = [...form.querySelectorAll('input[name="check"]')];
    if (boxes.length) data.checklist = Object.fromEntries(boxes.map((box) => [box.value, box.checked]));
    const measured = {};
    for (const input of form.querySelectorAll("[data-measured]")) {
      const [code, item] = input.dataset.measured.split("/");
      if (input.value !== "") (measured[code] ??= {})[item] = Number(input.value);
    }
    if (Object.keys(measured).length) data.measured = measured;
    const reason = form.querySelector('[name="reason"]')?.value.trim();
    if (reason) data.reason = reason;
    return { data };
  }
  const body = form.dataset.body ? JSON.parse(form.dataset.body) : Object.fromEntries(new FormData(form, button?.name ? button : undefined));
  if (form.dataset.number) body[form.dataset.number] = Number(body[form.dataset.number]);
  return body;
}

function dueRows(form) {
  return { rows: [...form.querySelectorAll("tr[data-storey]")].map((row) => ({
    building: row.dataset.building, storey: row.dataset.storey,
    due: row.querySelector('[name="due"]').value || null, sequence: Number(row.querySelector('[name="sequence"]').value) || null,
  })) };
}

// A form keeps its command id until it succeeds: pressing again after a lost answer changes nothing twice.
async function submit(form, button) {
  form.dataset.command ??= id();
  const body = form.dataset.upload || form.dataset.due ? null : bodyOf(form, button); // a disabled button has no value
  form.classList.add("busy");
  const buttons = form.querySelectorAll("button");
  buttons.forEach((b) => { b.disabled = true; });
  try {
    if (form.dataset.upload) { await upload(form); return; }
    if (form.dataset.due) await send("PUT", form.dataset.due, dueRows(form), form.dataset.command);
    else await send("POST", form.dataset.finish ?? form.dataset.api, body, form.dataset.command);
    location.assign(form.dataset.next ?? location.href);
  } catch (error) {
    delete form.dataset.command;
    showProblem(form, error);
  } finally {
    form.classList.remove("busy");
    buttons.forEach((b) => { b.disabled = false; });
  }
}

function upload(form) {
  const bar = form.querySelector("progress"), what = form.querySelector(".upload-what");
  errorOf(form).hidden = true;
  bar.hidden = what.hidden = false;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.dataset.upload);
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => { bar.value = (20 * event.loaded) / event.total; };
    request.onerror = () => reject(new Error("–"));
    request.onload = () => {
      const data = JSON.parse(request.responseText || "{}");
      request.status < 300 ? follow(data.id, bar, what).then(resolve, reject) : reject({ problem: data });
    };
    request.send(new FormData(form));
  });
}

async function follow(importId, bar, what) {
  for (;;) {
    const one = await (await fetch(`/api/v1/imports/${importId}`, { headers: headers() })).json();
    bar.value = 20 + (one.of ? (80 * one.done) / one.of : 0);
    what.textContent = one.what ? `${one.what} ${one.done}/${one.of}` : "";
    if (one.state === "refused") throw { problem: one.problem };
    if (one.state === "done") { bar.value = 100; result(one.result); return; }
    await new Promise((next) => setTimeout(next, 300));
  }
}

function result(document_) {
  const box = document.getElementById("import-result"), t = box.dataset;
  const pieces = (document_.components ?? []).reduce((sum, row) => sum + row.quantity, 0);
  const out = (document_.excluded ?? []).reduce((sum, row) => sum + row.count, 0);
  box.replaceChildren();
  const add = (tag, text) => box.appendChild(Object.assign(document.createElement(tag), { textContent: text }));
  add("p", pieces ? `${pieces} ${t.tPieces}, ${out} ${t.tExcluded}` : t.tNone).className = "lead";
  const list = add("ul", "");
  for (const row of document_.excluded ?? []) list.append(Object.assign(document.createElement("li"), { textContent: `${row.count} × ${row.source_class}: ${row.reason}` }));
  for (const finding of (document_.findings ?? []).slice(0, 20)) list.append(Object.assign(document.createElement("li"), { textContent: finding.message }));
  if (document_.order_id) Object.assign(add("a", t.tOpen), { href: `/orders/${document_.order_id}`, className: "button primary" });
  box.hidden = false;
}

document.addEventListener("submit", (event) => {
  const form = event.target, button = event.submitter;
  if (!(form.dataset.api || form.dataset.finish || form.dataset.upload || form.dataset.due)) return;
  event.preventDefault();
  const why = form.querySelector("[data-for]");
  if (why) {
    why.required = why.dataset.for === button?.value;
    if (why.required && !why.reportValidity()) return;
  }
  if (button?.dataset.twice && !button.dataset.armed) {
    const before = button.textContent;
    button.dataset.armed = "1";
    button.textContent = button.dataset.twice;
    setTimeout(() => { delete button.dataset.armed; button.textContent = before; }, 4000);
    return;
  }
  submit(form, button);
});

document.addEventListener("change", async (event) => {
  const input = event.target;
  if (!input.dataset?.csv || !input.files.length) return;
  const answer = await fetch(input.dataset.csv, { method: "POST", headers: headers({ "Content-Type": "text/csv" }), body: input.files[0] });
  answer.ok ? location.reload() : showProblem(input.form, { problem: await answer.json() });
  input.value = "";
});
