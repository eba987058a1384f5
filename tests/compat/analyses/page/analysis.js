/* global Databench */
const databench = new Databench.Connection();
databench.on('status', (json) => {
  document.getElementById('output').innerHTML = json.message;
});
databench.connect();
