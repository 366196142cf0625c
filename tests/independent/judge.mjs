// Reads one JSON request on standard input, asks the wallets' Node libraries, writes one JSON answer.
import { readFileSync } from 'node:fs';
import { AlipaySdk } from 'alipay-sdk';
import wechatpay from 'wechatpay-axios-plugin';

const { Aes, Formatter, Rsa } = wechatpay;

const alipay = ({ appId, appKey, alipayPublicKey, aesKey, gateway }) =>
  new AlipaySdk({
    appId,
    privateKey: appKey,
    keyType: 'PKCS8',
    alipayPublicKey,
    encryptKey: aesKey,
    ...(gateway ? { gateway } : {}),
  });

const publicKey = (pem) => Rsa.from(pem, Rsa.KEY_TYPE_PUBLIC);
const privateKey = (pem) => Rsa.from(pem, Rsa.KEY_TYPE_PRIVATE);

const acts = {
  // What the merchant's Authorization header claims, checked as WeChat Pay checks it.
  'wechat.request': ({ method, path, timestamp, nonce, body, signature, merchantPublicKey }) =>
    Rsa.verify(Formatter.request(method, path, timestamp, nonce, body), signature, publicKey(merchantPublicKey)),

  'wechat.client_params': ({ appId, params, merchantPublicKey }) =>
    Rsa.verify(
      Formatter.joinedByLineFeed(appId, params.timeStamp, params.nonceStr, params.package),
      params.paySign,
      publicKey(merchantPublicKey),
    ),

  // A notice as WeChat Pay makes it.
  'wechat.notice': ({ notice, resource, nonce, timestamp, headerNonce, apiv3Key, platformKey }) => {
    const body = JSON.stringify({
      ...notice,
      resource: {
        original_type: 'transaction',
        algorithm: 'AEAD_AES_256_GCM',
        ciphertext: Aes.AesGcm.encrypt(JSON.stringify(resource), apiv3Key, nonce, 'transaction'),
        associated_data: 'transaction',
        nonce,
      },
    });
    const signature = Rsa.sign(Formatter.response(timestamp, headerNonce, body), privateKey(platformKey));
    return { body, signature };
  },

  'wechat.response': ({ timestamp, nonce, body, signature, platformPublicKey }) =>
    Rsa.verify(Formatter.response(timestamp, nonce, body), signature, publicKey(platformPublicKey)),

  'wechat.gcm_open': ({ ciphertext, nonce, associatedData, apiv3Key }) =>
    Aes.AesGcm.decrypt(ciphertext, apiv3Key, nonce, associatedData),

  // The same request signed by Alipay's own SDK: RSASSA-PKCS1-v1_5 is deterministic, so equal means right.
  'alipay.sign': ({ config, method, params }) =>
    Object.fromEntries(new URLSearchParams(alipay(config).sdkExecute(method, params, { bizContentAutoSnakeCase: false }))),

  'alipay.notice_genuine': ({ config, form }) => alipay(config).checkNotifySignV2(form),

  'alipay.response_genuine': ({ config, raw, key, sign }) => {
    alipay(config).checkResponseSign(raw, key, sign, 'test');
    return true;
  },

  'alipay.encrypt': ({ config, content }) => {
    const params = { bizContent: content, needEncrypt: true };
    const signed = alipay(config).sdkExecute('alipay.trade.query', params, { bizContentAutoSnakeCase: false });
    return new URLSearchParams(signed).get('biz_content');
  },
  'alipay.decrypt': ({ config, text }) => alipay(config).aesDecrypt(text),

  // The SDKs as clients of a gateway on loopback: signatures both ways.
  'alipay.exec': async ({ config, method, params }) =>
    alipay(config).exec(method, params, { bizContentAutoSnakeCase: false, validateSign: true }),

  'wechat.call': async ({ config, path, method, data, params }) => {
    const client = new wechatpay({
      mchid: config.mchid,
      serial: config.serial,
      privateKey: privateKey(config.merchantKey),
      certs: { [config.platformKeyId]: publicKey(config.platformPublicKey) },
      baseURL: config.gateway,
    });
    const answer = await client.chain(path)[method](...(method === 'get' ? [{ params }] : [data, { params }]));
    return { status: answer.status, data: answer.data };
  },
};

const { act, ...given } = JSON.parse(readFileSync(0, 'utf8'));
try {
  process.stdout.write(JSON.stringify({ answer: (await acts[act](given)) ?? null }));
} catch (error) {
  process.stdout.write(JSON.stringify({ error: String(error?.message ?? error), body: error?.response?.data ?? null }));
}
