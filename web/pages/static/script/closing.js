// On a device that others use, where the browser is too old for the module or it did not arrive: a
// page goes at its end all the same. So it is no module, and written as before 2015.
(function () {
  setTimeout(function () {
    if (!document.body.hasAttribute("data-watched")) location.replace("/session/over");
  }, (Number(document.body.getAttribute("data-seconds")) + 2) * 1000);
})();
