/// The operators, one file each, written as docs/spec/arithmetic.md, section 4, writes them.
///
/// Plain integer code without any floating-point type: what these functions return is what a model
/// means. Arithmetic that could leave its type traps, except in three inner loops whose bound stands
/// next to them.
package enum ReferenceOperators {}
