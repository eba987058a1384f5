window.fromStatic = "static";
