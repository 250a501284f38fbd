type IsAny<T> = 0 extends 1 & T ? true : false

/** What one entity has in the columns of a field, as it is written; of a struct or quaternion its parts by name, or in order. */
export type FieldValue<Columns> = Columns extends BigInt64Array | BigUint64Array
  ? bigint
  : Columns extends { readonly BYTES_PER_ELEMENT: number }
    ? number
    : Columns extends readonly (infer Value)[]
      ? Value
      : { readonly [Name in keyof Columns]: FieldValue<Columns[Name]> } | readonly number[]

/** The same as it is read: the parts by name. It is the reader's own, to be changed at will. */
export type FieldRead<Columns> =
  IsAny<Columns> extends true
    ? any
    : Columns extends BigInt64Array | BigUint64Array
      ? bigint
      : Columns extends { readonly BYTES_PER_ELEMENT: number }
        ? number
        : Columns extends readonly (infer Value)[]
          ? Value
          : { -readonly [Name in keyof Columns]: FieldRead<Columns[Name]> }
