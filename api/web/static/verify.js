// The QR code of a certificate leads to /v#number=…&code=…: what is behind the
// # stays in the browser. This fills the form with it, and takes dropped files.
(function () {
  "use strict";
  var form = document.getElementById("by-number");
  function fill() {
    var given = new URLSearchParams(location.hash.slice(1));
    ["number", "code"].forEach(function (name) {
      if (given.get(name)) form.elements[name].value = given.get(name);
    });
    if (given.get("number")) form.querySelector("button").focus();
  }
  fill();
  addEventListener("hashchange", fill);

  var upload = document.getElementById("by-file");
  var zone = upload.querySelector(".drop");
  ["dragover", "dragleave", "drop"].forEach(function (kind) {
    zone.addEventListener(kind, function (event) {
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length === 1) {
        upload.elements.file.files = event.dataTransfer.files;
        upload.submit();
      }
    });
  });
})();
