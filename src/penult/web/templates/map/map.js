"use strict";
// The map of a collection, as a page of its own: its parts come first, and its page last.
(() => {
{% include "web/map/parts.js" %}
// For scripts, and for tests.
window.rowMap = new RowMap(document.getElementById("row-map"), JSON.parse(document.getElementById("map-data").textContent));
})();
