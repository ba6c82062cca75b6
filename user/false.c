/* false: do nothing, and fail. Arguments are not even looked at. */
int main(void)
{
    return 1;
}
