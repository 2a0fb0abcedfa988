// Before the page is drawn, so that it never shows in the wrong theme. Where files may keep nothing
// (a page opened from a disk in some browsers), the reader's choice holds until the page is closed.
const Theme = (() => {
  const KEY = "reweave-report-theme";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = kept();

  function kept() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  }

  function current() {
    if (chosen === "dark" || chosen === "light") {
      return chosen;
    }
    return dark.matches ? "dark" : "light";
  }

  function set(theme) {
    document.documentElement.dataset.theme = theme;
    document.dispatchEvent(new Event("reweave-theme"));
  }

  function toggle() {
    chosen = current() === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, chosen);
    } catch {
      // It holds for this page.
    }
    set(chosen);
  }

  set(current());
  dark.addEventListener("change", () => set(current()));
  // Paper is light.
  addEventListener("beforeprint", () => set("light"));
  addEventListener("afterprint", () => set(current()));
  return {toggle, current};
})();
