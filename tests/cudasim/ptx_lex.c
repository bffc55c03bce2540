/* PTX text to tokens. */
#include <ctype.h>
#include <string.h>

#include "ptx_internal.h"

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || c == '$' || c == '%' || c == '.';
}

static bool is_name_part(char c)
{
    return is_name_start(c) || isdigit((unsigned char)c);
}

static void skip_blanks(struct lexer *lexer)
{
    for (;;) {
        const char *s = lexer->at;
        if (*s == '\n') {
            lexer->line++;
            lexer->at++;
        } else if (isspace((unsigned char)*s)) {
            lexer->at++;
        } else if (s[0] == '/' && s[1] == '/') {
            lexer->at += strcspn(s, "\n");
        } else if (s[0] == '/' && s[1] == '*') {
            for (lexer->at += 2; *lexer->at && !(lexer->at[0] == '*' && lexer->at[1] == '/'); lexer->at++)
                lexer->line += *lexer->at == '\n';
            lexer->at += *lexer->at ? 2 : 0;
        } else {
            return;
        }
    }
}

static uint64_t digits(const char **s, unsigned base)
{
    uint64_t value = 0;
    for (;; ++*s) {
        const char c = **s;
        const unsigned digit = isdigit((unsigned char)c)    ? (unsigned)(c - '0')
                               : isxdigit((unsigned char)c) ? (unsigned)(tolower((unsigned char)c) - 'a' + 10)
                                                            : 99;
        if (digit >= base)
            return value;
        value = value * base + digit;
    }
}

/* Decimal, octal, hexadecimal and binary integers with optional U; 0f and 0d followed by the bits of the float. */
static void lex_number(struct lexer *lexer, struct token *token)
{
    const char *s = lexer->at;
    token->kind = TOKEN_NUMBER;
    token->number = NUMBER_INTEGER;
    const char second = (char)(s[0] == '0' ? tolower((unsigned char)s[1]) : 0);
    if (second == 'f' || second == 'd') {
        token->number = second == 'f' ? NUMBER_F32 : NUMBER_F64;
        s += 2;
        token->value = digits(&s, 16);
    } else if (second == 'x') {
        s += 2;
        token->value = digits(&s, 16);
    } else if (second == 'b') {
        s += 2;
        token->value = digits(&s, 2);
    } else {
        token->value = digits(&s, second >= '0' && second <= '7' ? 8 : 10);
    }
    s += *s == 'U';
    lexer->at = s;
}

void lexer_next(struct lexer *lexer)
{
    skip_blanks(lexer);
    struct token *token = &lexer->token;
    const char *s = lexer->at;
    *token = (struct token){.kind = TOKEN_PUNCTUATION, .start = s, .line = lexer->line};
    if (!*s) {
        token->kind = TOKEN_END;
    } else if (isdigit((unsigned char)*s)) {
        lex_number(lexer, token);
    } else if (is_name_start(*s)) {
        token->kind = TOKEN_NAME;
        while (is_name_part(*lexer->at) || (lexer->at[0] == ':' && lexer->at[1] == ':' && (lexer->at += 1)))
            lexer->at++;
    } else if (*s == '"') {
        token->kind = TOKEN_STRING;
        lexer->at += 1 + strcspn(s + 1, "\"\n");
        lexer->at += *lexer->at == '"';
    } else {
        lexer->at++;
    }
    token->length = (size_t)(lexer->at - s);
}

void lexer_start(struct lexer *lexer, const char *text)
{
    *lexer = (struct lexer){.at = text, .line = 1};
    lexer_next(lexer);
}

bool token_is(const struct token *token, const char *text)
{
    return token->kind != TOKEN_STRING && token->length == strlen(text) && !memcmp(token->start, text, token->length);
}
