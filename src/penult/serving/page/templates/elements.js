// What the map and the rest of the page share: HTML elements with texts as texts.
{% include "web/map/data.js" %}
{% include "web/map/elements.js" %}
export { button, count, element, idElement, named, printable, titled };
