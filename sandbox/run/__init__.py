"""Starting the product beside the sandbox: processes, settings, the embedded mode and the two-process one."""
