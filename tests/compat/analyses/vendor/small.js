window.fromVendor = "vendor";
