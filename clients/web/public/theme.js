// Before the first paint, and a file of its own: the page's policy allows no inline script.
(function () {
  var theme = localStorage.getItem("outrider-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
