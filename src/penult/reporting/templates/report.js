{# The one script of a report: what it needs of all that pages of penult run. #}
{% include "web/photos.js" %}
{% include "filters.js" %}
{% include "matrix.js" %}
{% include "labels.js" %}
{% if report.map %}
{% include "web/map/map.js" %}
{% endif %}
