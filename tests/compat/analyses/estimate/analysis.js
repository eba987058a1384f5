/* global Databench */
const d = new Databench.Connection();
Databench.ui.wire(d);
d.on({ data: 'pi' }, (pi) => {
  document.getElementById('pi').innerHTML = `${pi.estimate.toFixed(3)} after <em>${pi.draws}</em>`;
});
d.connect();
