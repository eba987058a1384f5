/* global Databench */

const databench = Databench.connect();
Databench.ui.wire(databench);

// Called whenever `self.data['status']` changes.
databench.on({ data: 'status' }, (status) => {
  document.getElementById('status').textContent = status;
});
