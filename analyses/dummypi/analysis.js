/* global Databench */

const databench = Databench.connect();
Databench.ui.wire(databench);

databench.on({ data: 'pi' }, ({ estimate, uncertainty }) => {
  const text = `${estimate.toFixed(3)} ± ${uncertainty.toFixed(3)}`;
  document.getElementById('pi').textContent = text;
});
