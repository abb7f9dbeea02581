// Draws the preview anew, some time after the last change; without this a button
// does.
(function () {
  "use strict";
  var form = document.getElementById("template");
  var button = document.getElementById("preview");
  var waiting;
  function draw() {
    clearTimeout(waiting);
    waiting = setTimeout(function () { form.requestSubmit(button); }, 700);
  }
  form.addEventListener("input", draw);
  document.querySelectorAll("[form=template]").forEach(function (field) { field.addEventListener("input", draw); });
  draw();
})();
