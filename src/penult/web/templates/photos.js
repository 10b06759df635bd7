{# The script of a page whose photos open large. #}
{% include "web/page.js" %}
{% include "web/gallery.js" %}
