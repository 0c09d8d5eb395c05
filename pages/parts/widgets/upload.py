"""A zip on its way in: a component that streams it to our own route, so that the server holds none of it in memory."""

import streamlit as st

_HTML = """
<div class="drop">
  <input type="file" accept=".zip,application/zip" aria-label="Zip to upload" hidden>
  <div class="idle"><strong>Drop a zip here</strong> or <button type="button" class="choose">choose one</button>
    <small>One folder a class, with or without train / validation / test above them.</small></div>
  <div class="busy" hidden>
    <div class="row"><span class="name"></span><button type="button" class="cancel">Cancel</button></div>
    <div class="track" role="progressbar" aria-label="Upload" aria-valuemin="0" aria-valuemax="100">
      <div class="bar"></div></div>
    <small class="amount"></small>
  </div>
  <small class="done" role="status"></small>
  <small class="error" role="alert" hidden></small>
</div>
"""

_CSS = """
.drop { border: 1.5px dashed var(--st-border-color); border-radius: 10px; padding: 22px; text-align: center;
  color: var(--st-text-color); background: var(--st-secondary-background-color); font-family: var(--st-font);
  font-size: 15px; cursor: pointer; }
.drop.over { outline: 2px solid var(--st-primary-color); border-color: var(--st-primary-color); }
.choose { border: 0; padding: 0; background: none; font: inherit; color: var(--st-link-color); cursor: pointer; }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
small { display: block; margin-top: 6px; opacity: .72; } small:empty { display: none; }
.busy { text-align: left; cursor: default; } [hidden] { display: none !important; }
.row { display: flex; justify-content: space-between; gap: 12px; align-items: center; }
.name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-weight: 600; }
.track { height: 6px; border-radius: 3px; background: var(--st-border-color); margin-top: 10px; overflow: hidden; }
.bar { height: 100%; width: 0; background: var(--st-primary-color); transition: width .2s; }
.cancel { border: 1px solid var(--st-border-color); background: var(--st-background-color); color: inherit;
  font: inherit; font-size: 13px; border-radius: 8px; padding: 3px 10px; cursor: pointer; }
.error { color: var(--st-red-color); opacity: 1; font-weight: 600; }
"""

_JS = """
const size = (n) => n < 1e6 ? `${Math.ceil(n / 1e3)} kB` : n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`;
const span = (s) => s < 60 ? `${Math.ceil(s)} s` : `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
const reason = (text, status) => {
  try { return JSON.parse(text).error; } catch { return `The upload failed (${status}). Try again.`; }
};

export default function (component) {
  const { parentElement, setTriggerValue, data } = component;
  const find = (name) => parentElement.querySelector(name);
  const drop = find(".drop"), input = find("input");
  if (drop.dataset.ready) return;
  drop.dataset.ready = "yes";
  let request = null;

  const show = (which, error) => {
    const focused = drop.matches(":focus-within");
    find(".idle").hidden = which !== "idle";
    find(".busy").hidden = which !== "busy";
    find(".error").hidden = !error;
    find(".error").textContent = error || "";
    if (focused) find(which === "busy" ? ".cancel" : ".choose").focus();
  };
  const progress = (share, amount) => {
    find(".bar").style.width = `${share}%`;
    find(".track").setAttribute("aria-valuenow", share);
    find(".amount").textContent = amount;
  };
  const send = async (file) => {
    if (!/\\.zip$/i.test(file.name)) return show("idle", `${file.name} is no zip. Zip the folder of class folders first.`);
    if (!file.size) return show("idle", `${file.name} is empty.`);
    show("busy");
    find(".name").textContent = file.name;
    find(".done").textContent = "";
    progress(0, "");
    const address = `${data.base}/api/uploads/${encodeURIComponent(file.name)}`;
    const answer = await fetch(`${address}/${file.size}`).catch(() => null);
    if (!answer) return show("idle", "Thaw does not answer. Is it still running?");
    if (answer.status !== 204) return show("idle", reason(await answer.text(), answer.status));
    const began = performance.now();
    request = new XMLHttpRequest();
    request.open("PUT", address);
    request.upload.onprogress = ({ loaded, total }) => {
      const share = Math.round(100 * loaded / total), rate = loaded / ((performance.now() - began) / 1000);
      const left = loaded ? ` · about ${span((total - loaded) / rate)} left` : "";
      progress(share, `${share} % · ${size(loaded)} of ${size(total)} · ${size(rate)}/s${left}`);
    };
    request.onload = () => {
      if (request.status !== 201) return show("idle", reason(request.responseText, request.status));
      show("idle");
      find(".done").textContent = `${file.name} has arrived.`;
      setTriggerValue("uploaded", { upload: JSON.parse(request.responseText).upload, name: file.name });
    };
    request.onerror = () => show("idle", "The connection broke. Try again.");
    request.onabort = () => show("idle");
    request.send(file);
  };
  drop.onclick = (event) => { if (find(".busy").hidden && event.target !== input) input.click(); };
  input.onchange = () => { if (input.files.length) send(input.files[0]); input.value = ""; };
  drop.ondragover = (event) => { event.preventDefault(); drop.classList.add("over"); };
  drop.ondragleave = () => drop.classList.remove("over");
  drop.ondrop = (event) => {
    event.preventDefault(); drop.classList.remove("over");
    if (event.dataTransfer.files.length && find(".busy").hidden) send(event.dataTransfer.files[0]);
  };
  find(".cancel").onclick = (event) => { event.stopPropagation(); if (request) request.abort(); };
  return () => { if (request) request.abort(); };
}
"""  # noqa: E501

_component = st.components.v2.component("thaw_upload", html=_HTML, css=_CSS, js=_JS)


def upload_zip(key: str, base_url: str) -> tuple[str, str] | None:
    """Draw the drop zone. Once a zip has arrived, and only then: (its token among the uploads, its own name)."""
    result = _component(key=key, data={"base": base_url}, on_uploaded_change=lambda: None)
    if result.uploaded:
        return result.uploaded["upload"], result.uploaded["name"]
    return None
