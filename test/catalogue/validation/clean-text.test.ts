import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { cleanText, cleanTexts } from '../../../src/catalogue/validation/clean-text.ts'
import { validateRequest } from '../../../src/catalogue/validation/validate.ts'

describe('texts of a request', () => {
  it('lose NUL and halves of surrogate pairs, and nothing else', () => {
    assert.equal(cleanText('a\0b\uD800c\uDC00d \u{1FA81}'), 'abcd \u{1FA81}')
    const kept = 'a\u0007\t\n\u200B\u{1FA81}é'
    assert.equal(cleanText(kept), kept)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.equal(cleanText(text), text.replaceAll('\0', ''))
      }),
    )
  })

  it('are cleaned at any depth, with the names of the fields that changed', () => {
    const { body, changedNames: changed } = cleanTexts({
      prompt: 'a\uD800',
      storyConfig: { scenes: [{ 'vis\0ual': '\uDFFFkite', n: 1 }] },
      characters: ['fox'],
    })
    assert.deepEqual(body, {
      prompt: 'a',
      storyConfig: { scenes: [{ visual: 'kite', n: 1 }] },
      characters: ['fox'],
    })
    assert.deepEqual(changed, ['prompt', 'storyConfig'])
  })

  it('are the same object where nothing changes', () => {
    const body = { prompt: 'A kite', storyConfig: { scenes: [{ a: ['b'] }] }, n: null }
    assert.equal(cleanTexts(body).body, body)
  })

  it('warn, or are a problem for strict callers; what becomes empty is missing', () => {
    const request = { model: 'veo2-video', prompt: 'A kite\uD800', conversationUUID: 'c\0-1' }
    const admitted = validateRequest(request)
    assert(admitted.ok)
    assert.equal(admitted.input.prompt, 'A kite')
    assert.equal(admitted.conversationUUID, 'c-1')
    assert.match(admitted.warnings.join(), /`prompt` has characters that are no text .* removed/)
    const strict = validateRequest(request, { handling: 'strict' })
    assert(!strict.ok)
    assert.equal(strict.problems[0].field, 'prompt')
    const empty = validateRequest({ model: 'veo2-video', prompt: '\uD800\0' })
    assert(!empty.ok)
    assert.equal(empty.problems[0].code, 'missing_required_parameter')
  })

  it('leave links alone: one that holds such a character is rejected', () => {
    for (const image of [
      'https://media.example/\uD800.png',
      'https://media.example/a\0.png',
      'https://media.example/a\u0007.png',
    ]) {
      const admitted = validateRequest({ model: 'veo2-video-image-to-video', prompt: 'A kite', image })
      assert(!admitted.ok)
      assert.equal(admitted.problems[0].field, 'image')
    }
  })
})
