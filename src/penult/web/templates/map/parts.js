// What the map is made of, in one scope; names that a part needs at once stand before it.
{% include "web/map/data.js" %}
{% include "web/map/view.js" %}
{% include "web/map/grid.js" %}
{% include "web/map/colors.js" %}
{% include "web/map/dots_webgl.js" %}
{% include "web/map/dots_2d.js" %}
{% include "web/map/pictures.js" %}
{% include "web/map/names.js" %}
{% include "web/map/drawing.js" %}
{% include "web/map/filters.js" %}
{% include "web/map/elements.js" %}
{% include "web/map/legend.js" %}
{% include "web/map/search.js" %}
{% include "web/hand_over.js" %}
{% include "web/map/details.js" %}
{% include "web/map/pointer.js" %}
{% include "web/map/row_map.js" %}
