// Where in the page one is: the view and what it shows, in the address after the #.
export const here = () => {
  const [view, query = ""] = location.hash.slice(1).split("?");
  return { view, values: Object.fromEntries(new URLSearchParams(query)) };
};

export const link = (view, values = {}) => {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value != null));
  return `#${view}${query.size ? `?${query}` : ""}`;
};

export const go = (view, values) => { location.hash = link(view, values); };

// Change the address without a step back to what it was.
export const replace = (view, values) => history.replaceState(null, "", link(view, values));
