// Boxes to black out are numbers in a form. This draws them over the page as they
// are typed, and fills the first empty row with a box that is drawn.
(function () {
  "use strict";
  var page = document.getElementById("masking");
  var form = document.getElementById("boxes");
  var picture = page.querySelector("svg");
  var sides = ["x", "y", "width", "height"];

  function rows() {
    return Array.prototype.slice.call(form.querySelectorAll("fieldset:enabled"));
  }
  function field(row, side) {
    return row.querySelector("[name=" + side + "]");
  }
  function box(values) {
    var rect = document.createElementNS(picture.namespaceURI, "rect");
    sides.forEach(function (side, i) { rect.setAttribute(side, values[i]); });
    return rect;
  }
  function draw() {
    var boxes = rows().map(function (row) {
      return sides.map(function (side) { return parseFloat(field(row, side).value); });
    });
    picture.replaceChildren.apply(picture, boxes.filter(function (b) { return b.every(isFinite) && b[2] > 0 && b[3] > 0; }).map(box));
  }
  function empty(row) {
    return sides.every(function (side) { return field(row, side).value.trim() === ""; });
  }
  function emptyRow() {
    var all = rows();
    var free = all.filter(empty)[0];
    if (free) return free;
    var last = all[all.length - 1];
    var more = last.cloneNode(true);
    sides.forEach(function (side) { field(more, side).value = ""; });
    more.querySelector("legend").textContent = last.querySelector("legend").textContent.replace(/\d+/, function (n) { return Number(n) + 1; });
    last.after(more);
    return more;
  }
  if (!rows().length) return;
  form.addEventListener("input", draw);

  var start = null;
  function at(event) {
    var frame = picture.getBoundingClientRect();
    return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height].map(function (f) {
      return Math.round(Math.min(1, Math.max(0, f)) * 1000) / 10;
    });
  }
  function span(event) {
    var end = at(event);
    return [0, 1].map(function (i) { return Math.min(start[i], end[i]); }).concat([0, 1].map(function (i) {
      return Math.round(Math.abs(start[i] - end[i]) * 10) / 10;
    }));
  }
  page.addEventListener("pointerdown", function (event) {
    if (event.button !== 0) return;
    event.preventDefault();
    page.setPointerCapture(event.pointerId);
    start = at(event);
  });
  page.addEventListener("pointermove", function (event) {
    if (!start) return;
    draw();
    picture.append(box(span(event)));
  });
  page.addEventListener("pointerup", function (event) {
    if (!start) return;
    var values = span(event);
    start = null;
    if (values[2] >= 0.5 && values[3] >= 0.3) {
      var row = emptyRow();
      sides.forEach(function (side, i) { field(row, side).value = values[i]; });
      row.querySelector("select").focus();
    }
    draw();
  });
  page.addEventListener("pointercancel", function () { start = null; draw(); });
})();
