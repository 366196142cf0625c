"""Ways to reach people: WeChat and a fake as its equal. The inbox needs no file: the message is its own delivery."""
