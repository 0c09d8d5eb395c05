"""A zip on its way in: a component that streams it to our own route, so that the server holds none of it in memory."""

import streamlit as st

_HTML = """
<div class="drop" tabindex="0" role="button" aria-label="Choose a zip to upload">
  <input type="file" accept=".zip,application/zip" hidden>
  <div class="idle"><strong>Drop a zip here</strong> or <span class="link">choose one</span>
    <small>One folder a class, with or without train / validation / test above them.</small></div>
  <div class="busy" hidden>
    <div class="row"><span class="name"></span><button type="button" class="cancel">Cancel</button></div>
    <div class="track" role="progressbar" aria-valuemin="0" aria-valuemax="100"><div class="bar"></div></div>
    <small class="told" aria-live="polite"></small>
  </div>
  <small class="error" role="alert" hidden></small>
</div>
"""

_CSS = """
.drop { border: 1.5px dashed var(--st-border-color); border-radius: 10px; padding: 22px; text-align: center;
  color: var(--st-text-color); background: var(--st-secondary-background-color); font-family: var(--st-font);
  font-size: 15px; cursor: pointer; }
.drop:focus-visible, .drop.over { outline: 2px solid var(--st-primary-color); border-color: var(--st-primary-color); }
.link { color: var(--st-link-color); } small { display: block; margin-top: 6px; opacity: .72; }
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
const span = (s) => s < 60 ? `${Math.ceil(s)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;

export default function (component) {
  const { parentElement, setTriggerValue, data } = component;
  const find = (name) => parentElement.querySelector(name);
  const drop = find(".drop"), input = find("input");
  if (drop.dataset.ready) return;
  drop.dataset.ready = "yes";
  let request = null;

  const show = (which, error) => {
    find(".idle").hidden = which !== "idle";
    find(".busy").hidden = which !== "busy";
    find(".error").hidden = !error;
    find(".error").textContent = error || "";
  };
  const send = (file) => {
    if (!/\\.zip$/i.test(file.name)) return show("idle", `${file.name} is no zip. Zip the folder of class folders first.`);
    show("busy");
    find(".name").textContent = file.name;
    const began = performance.now();
    request = new XMLHttpRequest();
    request.open("PUT", `${data.base}/api/uploads/${encodeURIComponent(file.name)}`);
    request.upload.onprogress = ({ loaded, total }) => {
      const share = Math.round(100 * loaded / total), seconds = (performance.now() - began) / 1000;
      find(".bar").style.width = `${share}%`;
      find(".track").setAttribute("aria-valuenow", share);
      const left = loaded ? (total - loaded) / (loaded / seconds) : 0;
      find(".told").textContent = `${share} % · ${size(loaded)} of ${size(total)} · ${size(loaded / seconds)}/s · about ${span(left)} left`;
    };
    request.onload = () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* said below */ }
      if (request.status !== 201) return show("idle", answer.error || `The upload failed (${request.status}).`);
      find(".bar").style.width = "100%";
      find(".told").textContent = "Uploaded.";
      setTriggerValue("uploaded", { upload: answer.upload, name: file.name });
      setTimeout(() => show("idle"), 800);
    };
    request.onerror = () => show("idle", "The connection broke. Try again.");
    request.onabort = () => show("idle");
    request.send(file);
  };
  drop.onclick = (event) => { if (find(".busy").hidden && event.target !== input) input.click(); };
  drop.onkeydown = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); drop.onclick(event); } };
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
