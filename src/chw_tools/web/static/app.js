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
