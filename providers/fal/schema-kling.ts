import type { BodySchema } from '../schema.ts'
import { image, link, oneOf, prompt, string } from './schema-fields.ts'

const shared: BodySchema = {
  // Longer prompts failed in a public live test; that it was a Kling endpoint is inferred.
  prompt: { ...prompt, maxLength: 2500 },
  duration: oneOf('5', '10'),
  negative_prompt: string,
  cfg_scale: { type: 'number', min: 0, max: 1 },
}

export const kling: BodySchema = { ...shared, aspect_ratio: oneOf('16:9', '9:16', '1:1') }
export const klingImage: BodySchema = { ...shared, image_url: image }

export const lipsyncText: BodySchema = {
  text: { ...prompt, maxLength: 120 },
  video_url: link,
  voice_id: {
    ...oneOf(
      ...['genshin_vindi2', 'zhinen_xuesheng', 'AOT', 'ai_shatang', 'genshin_klee2', 'genshin_kirara'],
      ...['ai_kaiya', 'oversea_male1', 'ai_chenjiahao_712', 'girlfriend_4_speech02', 'chat1_female_new-3'],
      ...['chat_0407_5-1', 'cartoon-boy-07', 'uk_boy1', 'cartoon-girl-01', 'PeppaPig_platform'],
      ...['ai_huangzhong_712', 'ai_huangyaoshi_712', 'ai_laoguowang_712', 'chengshu_jiejie', 'you_pingjing'],
      ...['calm_story1', 'uk_man2', 'laopopo_speech02', 'heainainai_speech02', 'reader_en_m-v1'],
      ...['commercial_lady_en_f-v1', 'tiyuxi_xuedi', 'tiexin_nanyou', 'girlfriend_1_speech02'],
      ...['girlfriend_2_speech02', 'zhuxi_speech02', 'uk_oldman3', 'dongbeilaotie_speech02'],
      ...['chongqingxiaohuo_speech02', 'chuanmeizi_speech02', 'chaoshandashu_speech02'],
      ...['ai_taiwan_man2_speech02', 'xianzhanggui_speech02', 'tianjinjiejie_speech02'],
      ...['diyinnansang_DB_CN_M_04-v2', 'yizhipiannan-v1', 'guanxiaofang-v2', 'tianmeixuemei-v1'],
      ...['daopianyansang-v1', 'mengwa-v1'],
    ),
    required: true,
  },
  voice_language: oneOf('zh', 'en'),
  // The range is the one that NanoGPT publishes for this model.
  voice_speed: { type: 'number', min: 0.8, max: 2 },
}
