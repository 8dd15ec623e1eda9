import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  isSystemError,
  StorageUnavailable,
  toStorageUnavailable,
  wrapStorageErrors,
} from '../../../src/media/storage/storage-fault.ts'

function systemError(code: string): Error {
  return Object.assign(new Error('secret /path'), { code, syscall: 'write' })
}

function bucketError(name: string, httpStatusCode: unknown): Error {
  return Object.assign(new Error('secret key'), { name, $metadata: { httpStatusCode } })
}

describe('a storage fault', () => {
  it('has a name, and is neither full nor forbidden by default', () => {
    const { name, isFull, isForbidden } = new StorageUnavailable('x')
    assert.deepEqual(
      { name, isFull, isForbidden },
      { name: 'StorageUnavailable', isFull: false, isForbidden: false },
    )
  })

  it('has the given properties', () => {
    const cause = new Error('why')
    const error = new StorageUnavailable('x', { cause, isFull: true, isForbidden: true })
    assert.deepEqual([error.cause, error.isFull, error.isForbidden], [cause, true, true])
  })

  for (const code of ['ENOSPC', 'EDQUOT', 'EROFS']) {
    it(`${code} means that nothing more can be written`, () => {
      const error = toStorageUnavailable('store a', systemError(code))
      assert.deepEqual(
        [error.message, error.isFull, error.isForbidden],
        [`Cannot store a: ${code}`, true, false],
      )
    })
  }

  it('another system error does not mean a full disk', () => {
    assert.equal(toStorageUnavailable('store a', systemError('EIO')).isFull, false)
  })

  it('a denied call to a bucket is detected by its status', () => {
    const error = toStorageUnavailable('store a', bucketError('AccessDenied', 403))
    assert.equal(error.message, 'Cannot store a: AccessDenied (HTTP 403)')
    assert.deepEqual([error.isForbidden, error.isFull], [true, false])
  })

  it('another status is not a denied call', () => {
    assert.equal(toStorageUnavailable('store a', bucketError('NoSuchBucket', 404)).isForbidden, false)
  })

  it('a status that is not a number is ignored', () => {
    const error = toStorageUnavailable('store a', bucketError('AccessDenied', '403'))
    assert.deepEqual([error.message, error.isForbidden], ['Cannot store a: AccessDenied', false])
  })

  it('a code that is not a string is ignored', () => {
    assert.equal(
      toStorageUnavailable('store a', Object.assign(new TypeError('x'), { code: 7 })).message,
      'Cannot store a: TypeError',
    )
  })

  it('a thrown value that is not an error has a generic message', () => {
    for (const cause of [undefined, null, 'text', { code: 'ENOSPC' }])
      assert.equal(toStorageUnavailable('store a', cause).message, 'Cannot store a: unknown error')
  })

  it('keeps the cause for the log', () => {
    const cause = systemError('EIO')
    assert.equal(toStorageUnavailable('store a', cause).cause, cause)
  })

  it('a storage fault is returned unchanged', () => {
    const cause = new StorageUnavailable('first')
    assert.equal(toStorageUnavailable('store a', cause), cause)
  })

  it('successful work returns its value', async () => {
    assert.equal(await wrapStorageErrors('store a', Promise.resolve(7)), 7)
  })

  it('failed work throws a storage fault', async () => {
    await assert.rejects(wrapStorageErrors('store a', Promise.reject(systemError('ENOSPC'))), {
      name: 'StorageUnavailable',
      message: 'Cannot store a: ENOSPC',
    })
  })

  it('an error of the operating system has a code and a call', () => {
    assert.equal(isSystemError(systemError('EIO')), true)
    assert.equal(isSystemError(Object.assign(new Error('x'), { code: 'EIO' })), false)
    assert.equal(isSystemError(Object.assign(new Error('x'), { syscall: 'read' })), false)
    assert.equal(isSystemError({ code: 'EIO', syscall: 'read' }), false)
  })
})
