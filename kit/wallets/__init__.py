"""WeChat and Alipay as protocols: tokens, signing, encryption, transport; not what is said over them."""
