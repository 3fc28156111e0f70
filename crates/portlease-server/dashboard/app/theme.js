// Light or dark: as the system has it, until somebody says otherwise.

import { set, the } from "./dom.js";

const KEY = "portlease.theme";

export function chooseTheme() {
  const button = the("theme", HTMLButtonElement);
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (localStorage.getItem(KEY) ?? (system.matches ? "dark" : "light")) === "dark";
  const show = () => {
    set(document.documentElement, "data-theme", isDark() ? "dark" : "light");
    set(button, "aria-pressed", String(isDark()));
  };
  button.addEventListener("click", () => {
    const wanted = isDark() ? "light" : "dark";
    if ((wanted === "dark") === system.matches) {
      localStorage.removeItem(KEY);
    } else {
      localStorage.setItem(KEY, wanted);
    }
    show();
  });
  system.addEventListener("change", show);
  show();
}
