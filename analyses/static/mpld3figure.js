/* global mpld3 */

/**
 * Draws the figure in `data.figure` into a node, and again whenever it changes.
 *
 * mpld3's own scripts have its version in their names: the analysis says them in `data.scripts`.
 *
 * @param databench  The connection.
 * @param id         Id of the node.
 * @param ready      Called once, when mpld3 is there; the place to register a plugin.
 */
function mpld3Figure(databench, id, ready = () => {}) { // eslint-disable-line no-unused-vars
  const node = document.getElementById(id);
  let loaded = null;
  let figure = null;

  const load = name => new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = `/mpld3/${name}`;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${script.src} is missing`));
    document.head.append(script);
  });

  const draw = () => {
    if (!figure || typeof mpld3 === 'undefined') return;
    node.replaceChildren();
    for (const old of document.querySelectorAll('.mpld3-tooltip')) old.remove();
    mpld3.draw_figure(id, figure);
  };

  databench.on({ data: 'scripts' }, names => {
    if (!names.length) return;
    loaded ??= names.reduce((before, name) => before.then(() => load(name)), Promise.resolve())
      .then(ready);
    loaded.then(draw);
  });
  databench.on({ data: 'figure' }, value => {
    figure = value;
    if (loaded) loaded.then(draw);
  });
}
