// Nothing here is needed: every page works without it.
"use strict";

for (const button of document.querySelectorAll("[data-act=print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// One tap on "None of these" or "I did not check" clears the other rows, and the other way round.
for (const group of document.querySelectorAll("fieldset.signs")) {
  group.addEventListener("change", ({ target }) => {
    if (!target.checked) return;
    const alone = (row) => row.value === "none" || row.value === "not_asked";
    for (const row of group.querySelectorAll("input")) {
      if (row !== target && (alone(row) || alone(target))) row.checked = false;
    }
  });
}

// A double tap must not send a visit twice (the server would notice, but the wait is long).
for (const form of document.querySelectorAll("form.visit")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}

window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form.visit")) delete form.dataset.sent;
});

// The clock of a rehearsal: each hour of the table below it, on the telephone.
for (const clock of document.querySelectorAll("[data-act=clock]")) {
  const table = document.querySelector("table.hours");
  const rows = [...table.tBodies[0].rows];
  const at = (id) => document.getElementById(id);
  const turn = () => {
    const row = rows[Number(clock.value)];
    for (const other of rows) other.classList.toggle("now", other === row);
    at("clock-when").firstElementChild.textContent = row.dataset.when;
    at("clock-n").textContent = row.dataset.n;
    at("clock-text").textContent = row.dataset.text || table.dataset.nothing;
    at("clock-text").lang = row.dataset.lang;
    clock.setAttribute("aria-valuetext", row.dataset.when);
  };
  clock.addEventListener("input", turn);
  turn();
}
