// The canvas of `penult map`, as a module.
{% include "web/map/parts.js" %}
export { RowMap };
