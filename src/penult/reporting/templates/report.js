{% include "web/photos.js" %}
{% include "filters.js" %}
{% include "matrix.js" %}
{% include "labels.js" %}
