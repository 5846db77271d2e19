import { mark } from "./dom.ts";

const THEMES = ["system", "dark", "light"] as const;
type Theme = (typeof THEMES)[number];

const MEANING: Readonly<Record<Theme, string>> = { system: "as the system has them", dark: "dark", light: "light" };
const SIGN: Readonly<Record<Theme, string>> = { system: "◐", dark: "●", light: "○" };

/** Whose colours hold is told here; charts and lanes read them anew then. */
type Changed = () => void;

/** Lets a button go through the colour schemes; the choice is kept in this browser. */
export function themeButton(button: HTMLButtonElement, changed: Changed): void {
  let theme: Theme = THEMES.find((each) => each === localStorage.getItem("weir-theme")) ?? "system";
  const show = (): void => {
    mark(document.documentElement, "data-theme", theme);
    button.textContent = SIGN[theme];
    button.setAttribute("aria-label", `Colours: ${MEANING[theme]}`);
    button.title = `Colours: ${MEANING[theme]}`;
    changed();
  };
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
    localStorage.setItem("weir-theme", theme);
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  show();
}

/** The value of a colour of style.css, as it is now. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
