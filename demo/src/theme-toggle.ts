/** Makes a button switch between light and dark; until it is pressed the page follows the system. */
export function addThemeToggle(button: HTMLButtonElement, onChange: () => void): void {
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  button.addEventListener("click", () => {
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : systemIsDark.matches;
    root.dataset.theme = isDark ? "light" : "dark";
    onChange();
  });
  systemIsDark.addEventListener("change", onChange);
}
